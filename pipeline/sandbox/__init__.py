"""Running what is not trusted: generated projects under limits and without network, and work that may kill its process.

`sandbox` says what a run is given and gives back. `process` carries it out: it starts `supervisor` as a process of its
own, which gives up its rights (`confinement`) and starts, watches and ends the project. `child_process` is for our own
code on data that may crash or hang it.
"""
