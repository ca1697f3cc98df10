"""Files on any fsspec URL, records as Arrow, and resumable folders of shards."""
