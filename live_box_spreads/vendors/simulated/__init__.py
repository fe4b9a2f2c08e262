"""A feed without an account: the local simulated exchange."""
