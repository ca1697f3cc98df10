"""Training: loss, optimizer, settings, preparation of the data."""
