"""The functions that make tasks' data: each from a `Draw` and parameters, with a signal that is known to be there."""
