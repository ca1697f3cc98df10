"""Language models behind one protocol: what is asked and answered, and the clients that ask."""
