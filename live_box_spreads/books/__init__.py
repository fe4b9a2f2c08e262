"""Everything that is computed from a chain; pure. Callers ask ``desk.py``."""
