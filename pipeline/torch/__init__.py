"""What PyTorch has, as facts: no module here imports it, `make_api` aside."""
