"""A run's folder: its shards, its calls, its summary, and one row of it to look at."""
