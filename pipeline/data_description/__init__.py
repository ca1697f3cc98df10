"""A practitioner's own data read as they are: what they hold in plain words, and as a data contract."""
