"""The simulated market: contracts, a known truth, and quotes around it. Pure."""
