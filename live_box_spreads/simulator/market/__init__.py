"""The simulated market: contracts, a known truth, and the quotes that hint at it. Pure."""
