"""Planners: each reads a requirement and predicts a solution plan. Which one a run uses, `factory` says."""
