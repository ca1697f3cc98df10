"""Running projects: each in its environment's sandbox, from a cold interpreter or forked from a warm one.

`rows` has what goes in and comes out, `executing` runs one project, `environment_sandboxes` is what it runs in,
`warm_parent` and `warm_process` are the two sides of an interpreter that has its framework imported already.
"""
