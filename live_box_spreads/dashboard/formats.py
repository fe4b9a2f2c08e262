"""How numbers are written on the page."""

from __future__ import annotations

from math import isnan
from typing import Any

UNKNOWN = "\N{EN DASH}"
"""Stands where a value is not known."""


def percent(rate: float | None) -> str:
    """Write a fraction as per cent with two decimals: basis points."""
    return UNKNOWN if rate is None or isnan(rate) else f"{rate:.2%}"


def aria(**properties: str) -> dict[str, Any]:
    """Return the properties that tell a screen reader what is seen, such as ``label``."""
    return {f"aria-{name}": value for name, value in properties.items()}
