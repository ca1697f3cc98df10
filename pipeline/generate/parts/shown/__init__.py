"""What is shown of a test: curves, errors, examples. The same for scripts in Keras and in PyTorch."""
