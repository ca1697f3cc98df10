"""Notebooks in PyTorch, where the writer does otherwise than with Keras."""
