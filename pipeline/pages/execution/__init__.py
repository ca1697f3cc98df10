"""The page of `dlcodegen execute`."""
