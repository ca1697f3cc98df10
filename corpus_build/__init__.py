"""Notebooks to training data: DLPlanData, DLSamplePool, DLCodeEval."""
