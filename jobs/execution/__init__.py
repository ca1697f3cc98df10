"""Running projects: where they come from, how they are run, and what came of it."""
