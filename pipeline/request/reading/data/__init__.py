"""The kind of data that a request is about: by the nouns that name it, and by what is done with it."""
