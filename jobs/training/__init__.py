"""Training the GPT-2 planner: settings, data, batches, the loop of a worker, checkpoints, and the run's report."""
