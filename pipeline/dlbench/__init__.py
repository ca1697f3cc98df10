"""Function-level tasks (DL-Bench): a candidate takes one function's place in its repository, and listed tests are run.

`task` is what is read (`reading`), `placing` puts a candidate in, `running` runs it and judges from outside, with
`inside` in the process of the tests; `certifying` says which tasks can tell right from wrong. docs/dlbench.md has the
rules. Nothing of the published benchmark is in here: users bring its files.
"""
