"""The parts of the Tastytrade REST client: requests and errors, login, message shapes."""
