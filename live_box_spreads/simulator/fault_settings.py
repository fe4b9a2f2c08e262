"""Faults by name: from a command line, from the control address, and back to plain values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.simulator.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = tuple(each.name for each in fields(Faults))

RISING = frozenset({"access_revocations", "channel_closes", "idle_closes", "resets", "revocations"})
"""Counters whose every change is one event; they never go back."""

_SWITCH = {"true": True, "": True, "false": False}


def change(faults: Faults, changes: Mapping[str, object]) -> None:
    """Set some faults; all of them, or none if one cannot be.

    Args:
        faults: what to change.
        changes: by name, a value or its text: ``True`` or ``"true"`` or ``""`` for a switch,
            a number, ``"+1"`` for one more than now, symbols as a list or with commas.

    Raises:
        ConfigError: an unknown name, or a value that the fault cannot have.
    """
    values = {name: _value(faults, name, given) for name, given in changes.items()}
    for name, value in values.items():
        setattr(faults, name, value)


def heal(faults: Faults, names: Collection[str] = NAMES) -> None:
    """Set faults back to what a healthy exchange has."""
    healthy = Faults()
    for name in names:
        if name not in RISING:
            setattr(faults, name, getattr(healthy, name))


def parse(text: str) -> tuple[str, str]:
    """Split ``name=value``, or ``name`` alone for a switch."""
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def plain(faults: Faults) -> dict[str, Any]:
    """Return all faults as JSON values."""
    values = {name: getattr(faults, name) for name in NAMES}
    return {n: sorted(v) if isinstance(v, set) else v for n, v in values.items()}


def _value(faults: Faults, name: str, given: object) -> object:
    if name not in NAMES:
        close = get_close_matches(name, NAMES, 1)
        hint = f"did you mean {close[0]}?" if close else "docs/simulator.md lists them"
        raise ConfigError(f"the simulator has no fault {name!r}; {hint}")
    now = getattr(faults, name)
    try:
        if isinstance(now, bool):
            return _SWITCH[str(given).lower()]
        if isinstance(now, set):
            return _symbols(given)
        return _number(now, given)
    except (KeyError, TypeError, ValueError, OverflowError):
        kind = {bool: "true or false", set: "symbols"}.get(type(now), "a number")
        raise ConfigError(f"fault {name} cannot be {given!r}; give {kind}") from None


def _symbols(given: object) -> set[str]:
    if isinstance(given, str):
        return {symbol for symbol in given.split(",") if symbol}
    if isinstance(given, Collection) and all(isinstance(symbol, str) for symbol in given):
        return {str(symbol) for symbol in given}
    raise TypeError


def _number(now: float, given: object) -> float:
    """Return a number of the same kind as the one that stands."""
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise TypeError
    value = type(now)(given)
    if not isfinite(value):
        raise ValueError
    return value + now if isinstance(given, str) and given.startswith("+") else value
