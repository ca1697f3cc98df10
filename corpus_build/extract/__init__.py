"""From a notebook to requirement, dataset attributes and solution plan."""
