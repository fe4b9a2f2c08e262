"""The parts of the Tastytrade REST client: addresses, HTTP, login, message shapes."""
