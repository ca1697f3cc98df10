"""Where generated projects run: Python environments with a framework each, pinned, built once and kept.

`catalogue` names them, `building` builds them, `choice` tells which one a project wants. None is ever the job's own
interpreter: what a project needs and what this program needs change at different times.
"""
