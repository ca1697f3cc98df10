"""Results: metrics and what is written."""
