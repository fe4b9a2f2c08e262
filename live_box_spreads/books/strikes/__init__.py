"""The strikes of an expiry: calls and puts paired into synthetic forwards."""
