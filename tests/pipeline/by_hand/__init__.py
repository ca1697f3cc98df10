"""Eight requirements of our own, and every prompt about them answered by hand; README.md says how."""
