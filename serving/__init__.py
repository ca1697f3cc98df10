"""Ray Serve: the planner and the language model online (arrives with the LLM engines)."""
