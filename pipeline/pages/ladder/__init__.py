"""The ladder as a funnel and one project's run, for the pages that show projects which were run."""
