"""Beside the floors: a local exchange that speaks the Tastytrade protocols."""
