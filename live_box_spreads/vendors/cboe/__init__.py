"""Cboe's public delayed quotes: real markets without an account."""
