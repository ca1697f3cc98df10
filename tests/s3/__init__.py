"""Runs whose input and output lie on an S3 server of this machine: `make check-s3`."""
