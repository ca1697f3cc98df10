"""The service over HTTP: our own routes and those of the OpenAI API, keys, and what goes wrong in plain words."""
