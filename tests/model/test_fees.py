from __future__ import annotations

import pytest

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.fees import TASTYTRADE, opening_fees
from live_box_spreads.model.products import product


@pytest.mark.parametrize(
    ("root", "boxes", "dollars"),
    [
        # 4 x (1.00 + 0.10 + 0.02 + 0.60) + 2 x 0.00329: "about $6.89"
        ("SPX", 1, 6.88658),
        ("SPXW", 20, 137.7316),
        # XSP: nothing to the exchange below 10 contracts a leg, 0.07 from 10
        ("XSP", 1, 4.48658),
        ("XSP", 9, 9 * 4.48658),
        ("XSP", 10, 10 * 4.76658),
        ("NDX", 1, 5.48658),
        ("RUT", 1, 5.20658),
    ],
)
def test_by_hand(root: str, boxes: int, dollars: float) -> None:
    assert opening_fees(product(root), boxes) == pytest.approx(dollars, abs=1e-9)


def test_in_basis_points_as_the_field_says_it() -> None:
    # 1,000 points a side is $100,000: 0.7 bp a year for a year, 9 bp at 28 days.
    cost = opening_fees(product("SPX"), 1) / 100_000 * 1e4
    assert cost == pytest.approx(0.7, abs=0.02)
    assert cost * 365 / 28 == pytest.approx(9.0, abs=0.1)


def test_no_box_is_refused() -> None:
    with pytest.raises(ModelError, match="0 boxes cannot be opened"):
        opening_fees(product("SPX"), 0)


def test_the_schedule_has_its_date() -> None:
    assert TASTYTRADE.dated.isoformat() == "2026-07-30"
