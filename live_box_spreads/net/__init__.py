"""The network, once for every vendor: addresses, the HTTP client, and what a failure asks for."""
