"""How far a project comes when it is run, and what its network really was.

`ladder` has the records: the rungs, what was seen of each, the climb of one project. `probe` goes into the project's
own process and writes down what happens there; `events` reads that into an `observation`. `first_exception` says in the
field's terms what a project failed of. `climbing` puts them together; `learning` and `keeping` decide the last two
rungs. How a process is started is no matter of these; `observed` is the plain way, through any sandbox.
"""
