"""What the corpus job is made of: its settings, its plots, and what can be done with a finished build."""
