"""The vendors of quotes: a folder each, laid out alike; the registry loads its ``feed.py``."""
