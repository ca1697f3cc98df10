"""Running generated projects apart from everything else."""
