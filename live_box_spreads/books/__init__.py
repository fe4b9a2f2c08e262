"""Floor 2: box tables and the views of them. Pure functions of a chain."""
