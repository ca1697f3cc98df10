"""Each constraint of a request, looked up in the finished code. Nothing is run here."""
