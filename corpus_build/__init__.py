"""Notebooks to training data: DLPlanData, DLSamplePool, DLCodeEval (arrives with the corpus build)."""
