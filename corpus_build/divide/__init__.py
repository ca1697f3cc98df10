"""Which row goes into which set."""
