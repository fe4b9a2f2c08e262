"""A chain whose every loan is at one rate, with errors put in on purpose: the answers are known."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from live_box_spreads.model.settlement import DAYS_PER_YEAR, payment_date
from tests.books.conftest import chain_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_box_spreads.model.chain import Chain

PAID = date(2026, 11, 25)
"""The premium date of ``conftest.SNAPSHOT_TIME``, a Tuesday."""
RATE = 0.05
FORWARD = 6500.0
EXPIRIES = tuple(
    date(2026, 11, 30) + timedelta(days=days) for days in (0, 2, 4, 7, 9, 14, 18, 28, 45, 80, 193)
)
FADE_YEARS = 0.15


def flat_chain(  # noqa: PLR0913 - each error by its name
    expiries: Sequence[date] = EXPIRIES,
    *,
    root: str = "SPX",
    rate: float = RATE,
    kink: float = 0.0,
    tilt: float = 0.0,
    off: dict[date, float] | None = None,
    half_spread: float = 0.5,
    strikes: Sequence[float] = tuple(np.arange(5000.0, 8001.0, 25.0)),
) -> Chain:
    """Return quotes of loans at an effective rate.

    Args:
        expiries: expiration dates.
        root: option root.
        rate: effective, a fraction.
        kink: points by which synthetic forwards far from the money lie too high: legs in the money
            are that late.
        tilt: share by which discount factors are too high at time zero; it fades.
        off: share by which that of an expiry is too high, by itself.
        half_spread: of each leg, index points.
        strikes: of each expiry.
    """
    rows: list[dict[str, Any]] = []
    for expiry in expiries:
        years = (payment_date(expiry) - PAID).days / DAYS_PER_YEAR
        discount = exp(-log(1 + rate) * years) * (1 + tilt / (1 + years / FADE_YEARS))
        discount *= 1 + (off or {}).get(expiry, 0.0)
        for strike in strikes:
            rows += _pair(root, expiry, years, discount, strike, kink, half_spread)
    return chain_of(rows, spot={"SPX": FORWARD})


def _pair(
    root: str,
    expiry: date,
    years: float,
    discount: float,
    strike: float,
    kink: float,
    half_spread: float,
) -> list[dict[str, Any]]:
    """Return call and put by Bachelier's formula, in-the-money legs off by the kink."""
    deviation = 1000.0 * sqrt(max(years, 1 / DAYS_PER_YEAR))
    away = (strike - FORWARD) / deviation
    put = discount * deviation * (away * norm.cdf(away) + norm.pdf(away)) + 2.0
    call = put + discount * (FORWARD - strike)
    bend = kink * (2 * norm.cdf(-away) - 1) ** 2
    if strike < FORWARD:
        call += bend
    else:
        put -= bend
    common = {"root": root, "expiry": expiry, "strike": float(strike), "settlement": "PM"}
    return [
        {**common, "right": right, "bid": mid - half_spread, "ask": mid + half_spread}
        for right, mid in (("C", call), ("P", put))
    ]
