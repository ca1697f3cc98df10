"""Parts of networks: how many layers, and how wide."""
