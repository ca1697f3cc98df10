"""The task: framework, problem, variants."""
