"""What programs that run for long share: the snapshots of a folder, as desks and as events."""
