"""Asking an endpoint over HTTP: what servers understand, retries, rates, connections, a circuit breaker."""
