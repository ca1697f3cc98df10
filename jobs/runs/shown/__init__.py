"""Parts of a row as they are shown: its calls as they were made, and what was decided in its project."""
