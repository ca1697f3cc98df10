"""Thin entry points for `ray job submit` and the command line, and all Ray Data glue."""
