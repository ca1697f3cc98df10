"""Which samples and known plans are like a row, and which of them it may see: BM25, the pool, the firewall."""
