"""Reference rates by date, and which of them a chain of one day may be compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve

if TYPE_CHECKING:
    from datetime import date

    from live_box_spreads.model.reference_curve import ReferenceCurve

HELD_FLAT = "held flat"

ParYields = Mapping[float, float]
"""Par yields by tenor in months, fractions."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A curve to compare with, or why there is none.

    Attributes:
        curve: the curve, with its date; None if there is none.
        reason: why there is none, one line; empty if there is one.
        notice: what a person should know of how it was got; empty if nothing.
    """

    curve: ReferenceCurve | None
    reason: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Rates of one source.

    Attributes:
        name: what the rates are, for a person.
        origin: the file or the address that they came from.
        rows: by date, a par curve's yields or an overnight fixing (a fraction, ACT/360).
        rejected: rows and cells that could not be used, by reason.
        notice: what a person should know of how the rates were got; empty if nothing.
    """

    name: str
    origin: str
    rows: Mapping[date, ParYields | float]
    rejected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    notice: str = ""

    def on(self, day: date, max_age_days: int) -> Reference:
        """Return the newest rates on or before a day, unless they are too old for it.

        Args:
            day: trade date of what is compared.
            max_age_days: calendar days between the rates and the day that are accepted.

        Raises:
            ModelError: the rates of the chosen date make no curve.
        """
        earlier = [found for found in self.rows if found <= day]
        if not self.rows:
            return Reference(None, f"{self.origin} has no rates")
        if not earlier:
            return Reference(
                None, f"{self.origin} begins on {min(self.rows)}, after the trade date {day}"
            )
        newest = max(earlier)
        age_days = (day - newest).days
        if age_days > max_age_days:
            return Reference(
                None,
                f"the newest rates of {self.origin} before the trade date {day} are of {newest}, "
                f"{age_days:,} days earlier; at most {max_age_days} are accepted (max_age_days)",
            )
        return Reference(self._curve(newest), notice=self.notice)

    def _curve(self, day: date) -> ReferenceCurve:
        row = self.rows[day]
        if isinstance(row, Mapping):
            return ParYieldCurve(self.name, day, row)
        return OvernightRate(_held_flat(self.name), day, row)


def _held_flat(name: str) -> str:
    """Return the name of an overnight rate with a note that it is held flat, unless it has one."""
    return name if HELD_FLAT in name else f"{name}, {HELD_FLAT}"
