"""Running candidates: what a run is given (`repository`, `overlay`), in what (`sandboxes`), and what came of it.

`running` runs one candidate against its suites; `verdict` reads the records that its process signed, and decides.
"""
