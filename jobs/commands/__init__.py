"""The commands of `dlcodegen`, a module a subject. Each imports what it runs when it is called: help stays quick."""
