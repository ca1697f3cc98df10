"""How far a project comes when it is run, and what its network really was.

`ladder` has the records: the rungs, what was seen of each, the climb of one project; `observation` those of what was
seen in its process. How a process is started is no matter of these.
"""
