"""What Keras accepts, as data: calls checked without importing it, plan layers read, their shapes traced and fitted."""
