"""What is no notebook of the framework asked for: what it imports, and what is trained in it."""
