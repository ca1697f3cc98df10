"""Putting a candidate into the place of a task's target: found by its qualified name, exchanged by its span of text.

`target` finds it, `candidate` reads what a model answered, `place` makes the new file, `variants` the stubs.
"""
