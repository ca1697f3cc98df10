"""`dlcodegen bench`: `benchmarking` grades a method on the tasks with hidden tests, `certifying` makes their bounds."""
