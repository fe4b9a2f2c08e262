"""Weekdays on which the exchanges were closed by proclamation or weather and cash still moved.

In the exchange's calendar these are only days without a session. The Federal Reserve Banks
were open on each of them and the clearing houses settled, so premiums and exercise amounts were
paid. Where a memo of the Options Clearing Corporation (OCC) for the day is known, the entry names
it. Elsewhere the day is assumed to be like the others, for the reason given; OCC's "Unscheduled
Market Closings Guide" (March 2020) plans its normal processing for such days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

_ATTACKS: Final = "attacks of September 11"
_ATTACKS_SOURCE: Final = (
    'Federal Reserve statement of 2001-09-11: "open and operating"; DTCC settled that day, a few '
    "hours late (The Story of DTCC, page 76), and went on"
)


@dataclass(frozen=True, slots=True)
class Closure:
    """A weekday without a session on which cash moved.

    Attributes:
        day: the day.
        why: why the exchanges were closed.
        source: the publication that states that payments were made.
        is_assumed: no memo of the OCC was found; the source speaks of banks or other clearing
            houses.
    """

    day: date
    why: str
    source: str
    is_assumed: bool


CLOSURES: Final = (
    Closure(date(2001, 9, 11), _ATTACKS, _ATTACKS_SOURCE, is_assumed=True),
    Closure(date(2001, 9, 12), _ATTACKS, _ATTACKS_SOURCE, is_assumed=True),
    Closure(date(2001, 9, 13), _ATTACKS, _ATTACKS_SOURCE, is_assumed=True),
    Closure(date(2001, 9, 14), _ATTACKS, _ATTACKS_SOURCE, is_assumed=True),
    Closure(
        date(2004, 6, 11),
        "day of mourning for President Reagan",
        "NASD member alert of 2004-06-09: Federal Reserve Banks and DTCC open, a business day",
        is_assumed=True,
    ),
    Closure(
        date(2007, 1, 2),
        "day of mourning for President Ford",
        "NASD member alert of 2006-12-29: DTCC open to settle, a business day",
        is_assumed=True,
    ),
    Closure(
        date(2012, 10, 29),
        "storm Sandy",
        "OCC information memo 31463 (announced by CBOE circular RG12-146)",
        is_assumed=False,
    ),
    Closure(
        date(2012, 10, 30),
        "storm Sandy",
        'SIFMA notice of 2012-10-29: October 30 "is a good settlement day"',
        is_assumed=True,
    ),
    Closure(
        date(2018, 12, 5),
        "day of mourning for President Bush",
        "OCC information memo 44124: a business day for money settlement, all settlement banks "
        "open",
        is_assumed=False,
    ),
    Closure(
        date(2025, 1, 9),
        "day of mourning for President Carter",
        "SIFMA market matrix of January 2025: Fedwire open, settlement open; CME Clearing advisory "
        "25-012: a business day with the usual bank settlement",
        is_assumed=True,
    ),
)

SETTLING_CLOSURES: Final = frozenset(closure.day for closure in CLOSURES)
"""Every such day of the session calendar."""
