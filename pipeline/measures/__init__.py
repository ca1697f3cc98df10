"""What is measured on one project or one plan, a file a measure."""
