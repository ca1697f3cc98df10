"""The hybrid planner: each field of a plan decided by ridge regression over known plans."""
