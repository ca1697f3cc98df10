"""Ray Serve: the planner and the code model, behind deployments that scale with their load."""
