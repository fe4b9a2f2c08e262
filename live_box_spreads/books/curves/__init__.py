"""Fair rates, executable bands and smooth curves of expiries."""
