"""What a PyTorch program builds and how it trains it, read without running it: the one reader of torch code.

`reading.read_torch` gives it all; `layers` reads the network in the order of `forward`, `loops` the training, `goals`
loss and metrics.
"""
