"""A benchmark with hidden tests: tasks with data, and answers that no project sees.

A task (`task`, `tasks/*.yaml`) is a request in a person's words with a folder of data, which a seeded function of
`families` makes on the fly. A project is run on the folder in the sandbox (`running`) and writes `predictions.csv`;
that is read with suspicion (`predictions`), measured against the hidden answers (`metrics`) and compared with two
bounds (`grading`): what takes no learning, and what a plain solution of `references` reaches. `certificate` is where
the bounds come from, and shows for each task that they mean what they say.
"""
