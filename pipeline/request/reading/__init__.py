"""Reading a request by rules: tokens, spellings of terms, numbers by the words around them, lists of names."""
