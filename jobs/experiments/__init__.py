"""An experiment: its specification, its runs, its table."""
