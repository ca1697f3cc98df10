"""Results as pages a person reads: HTML that needs nothing else."""
