"""What a request names in its own spelling: files and folders, columns and the target, classes."""
