"""Planners' answers as tables, plots and a page."""
