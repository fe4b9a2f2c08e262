"""Tastytrade: login and REST, the DXLink stream, and the feed made of both."""
