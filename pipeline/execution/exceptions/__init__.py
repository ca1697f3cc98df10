"""An exception read from its traceback, and which kind of failure it is."""
