"""What the scoring jobs share: outputs read from runs and released files, measured in shards, as tables and pages."""
