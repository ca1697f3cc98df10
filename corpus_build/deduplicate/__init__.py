"""Exact duplicates and near-duplicate clusters, and which notebook of each stays."""
