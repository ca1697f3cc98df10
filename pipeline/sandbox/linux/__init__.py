"""What Linux gives for keeping a program in: calls without a name in Python, a root folder, control groups, filters."""
