"""Data: kinds, files, sizes, classes."""
