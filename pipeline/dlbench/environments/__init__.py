"""The environments of the repositories that tasks come from: pinned packages, and where the sources with tests lie."""
