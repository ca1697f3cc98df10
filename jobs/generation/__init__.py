"""What the generation job is made of: its settings, its language model, its stages, its budget."""
