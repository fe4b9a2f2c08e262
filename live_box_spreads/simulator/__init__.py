"""Beside the floors: a local exchange with the Tastytrade protocols."""
