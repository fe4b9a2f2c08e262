"""What money costs at each expiry: fair rates, executable bands, smooth curves."""
