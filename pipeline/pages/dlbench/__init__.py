"""The report of `dlcodegen dlbench`."""
