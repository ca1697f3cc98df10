"""Measured items put together: rows per method, differences with their uncertainty,
agreement of raters."""
