"""Floor 1: products, dates, rates and the chain. Pure; no I/O and no clock."""
