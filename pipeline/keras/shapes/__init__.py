"""Tensor shapes through a stack of layers, without building it."""
