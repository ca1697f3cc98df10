"""The network: family, known networks, layers."""
