"""Floor 4: feed, live book and snapshots put together."""
