"""The vendors of quotes: a folder each, laid out alike; ``catalogue.py`` lists them."""
