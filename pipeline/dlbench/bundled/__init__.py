"""Tasks of this project, each with answers and suites to replay: everything runs with them, without a model.

An illustration, and in no results table: tasks, answers and suites were written by the same hands.
"""
