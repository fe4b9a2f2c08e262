"""Floor 3: where snapshots are kept."""
