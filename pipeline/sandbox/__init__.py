"""Running what is not trusted: generated projects under limits and without network, and work that may kill its process.

`sandbox` says what a run is given and gives back. `process` carries it out: it has a `supervisor` started
(`supervised`), which makes the sandbox (`confinement`, `linux`) and watches what it uses; in it a `first_process`
starts the project and reads out what it leaves. `machine` says what of it holds here. `child_process` is for our own
code on data that may crash or hang it."""
