"""The words of requests: how they are cut, and tables of how people spell what they ask for."""
