"""Tables: how their files are to be read, what their columns hold, which of them is the target."""
