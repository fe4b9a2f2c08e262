"""Live lending and borrowing rates implied by box spreads on European index options."""

__version__ = "0.1.0"
