"""Written texts of a plan (`Input`, `Output`): candidates from known texts, ranked by a fitted
linear model."""
