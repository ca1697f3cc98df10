"""Planners that are causal language models: tokens, the grammar of a plan's JSON, constrained beam
search."""
