"""Planners' answers as plots and a page."""
