"""One description of a cluster, and the files of each kind of cluster that are rendered from it."""
