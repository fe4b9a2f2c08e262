"""Boxes: prices, tables, thresholds, and the best ones."""
