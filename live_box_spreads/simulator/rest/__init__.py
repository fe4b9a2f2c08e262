"""The vendor's REST API as a local server."""
