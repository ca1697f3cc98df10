"""What a project's source says without running it: its model, its settings, its names."""
