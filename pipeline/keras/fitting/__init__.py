"""A stack of layers made to fit an input and a wanted output."""
