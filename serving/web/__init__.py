"""The page: what a person sees of the service."""
