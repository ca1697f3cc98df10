"""What the training of a Keras program is given, read without running it."""
