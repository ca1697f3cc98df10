"""Jobs that are sent to a cluster: what goes along, and what they say."""
