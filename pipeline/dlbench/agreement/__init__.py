"""Choosing one of several candidates by generated tests: dual execution agreement, and what it is held against.

`generated` parses suites that a model wrote, `matrix` says which candidate passes which test, `choosing` scores
candidates, `control` compares ways of spending the same calls.
"""
