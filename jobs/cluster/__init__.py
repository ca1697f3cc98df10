"""Ray: stages over shards, tasks over items, isolation of rows that kill, progress, what is installed."""
