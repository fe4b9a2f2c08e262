"""What every source of quotes is: one small interface, and the feeds that need no vendor."""
