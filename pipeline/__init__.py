"""What happens to one requirement, from plain words to a scored project: pure Python, no Ray."""
