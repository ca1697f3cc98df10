"""A row's own data: described, said as constraints, and what of a project's constants they settle.

`describing` looks at the data (docs/data.md); `constraints` says what they ask for; `serving` tells which samples read
data of their layout, and `constants` what those are told.
"""
