"""The jobs of `dlcodegen dlbench`: certifying tasks, running candidates, and what both keep in their folder."""
