"""One step after every planner: the plan keeps what was asked and holds together, or is returned as it was."""
