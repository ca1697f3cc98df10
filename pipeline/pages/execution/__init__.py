"""How far projects came when they were run, as HTML: the ladder as a funnel, and one project's run."""
