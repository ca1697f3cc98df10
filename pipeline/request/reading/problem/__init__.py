"""The kind of problem: by the words that name it, by what is asked for, and by what the rest of the request implies."""
