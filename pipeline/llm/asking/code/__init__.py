"""Code in replies: where it stands, what is around it, and what mends it."""
