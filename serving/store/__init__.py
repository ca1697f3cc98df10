"""What the service keeps: keys, what they may use and have used, projects with their events. One SQLite file."""
