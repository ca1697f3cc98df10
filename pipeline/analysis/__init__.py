"""What a project's source says without running it: its model and settings, its names, how far it keeps to a plan."""
