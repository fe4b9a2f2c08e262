"""The quality of quotes: errors put in on purpose are found, by size, sign and place."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from benchmarks.accuracy.chain_files import with_quotes
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.views.quality import EXPIRY_QUALITY_SCHEMA, QUALITY_SCHEMA
from live_box_spreads.feeds.importers.cboe import read_cboe
from tests.books.flat_market import EXPIRIES, FADE_YEARS, flat_chain
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from pathlib import Path

NEAREST_30 = date(2026, 12, 28)
"""Paid on the 29th, 34 days after the premium: of the expiries, 23 and 34 days are nearest."""
DAYS = 34


def test_clean_quotes_have_no_kink_no_tilt_and_no_doubt() -> None:
    row = Desk(flat_chain()).quality("SPX").row(0, named=True)
    assert (row["expiries"], row["expiries_used"]) == (11, 11)
    assert (row["at_expiry"], row["at_days"]) == (NEAREST_30, DAYS)
    assert row["kink_points"] == pytest.approx(0.0, abs=0.01)
    assert row["tilt_bps"] == pytest.approx(0.0, abs=0.2)
    assert row["kink_error_points"] > 0
    assert row["tilt_error_bps"] > 0
    assert (row["doubted_expiries"], row["expiries_doubted"], row["reason"]) == ("", 0, "")
    assert row["strikes_used"] == 11 * 121
    assert row["strikes_doubted"] == 0


@pytest.mark.parametrize("kink", [1.5, -0.8])
def test_a_kink_is_told_in_points_of_the_index(kink: float) -> None:
    """And so whatever the level of the index: it is at 6,500 here, the fit thinks of 5,000."""
    row = Desk(flat_chain(kink=kink)).quality("SPX").row(0, named=True)
    assert row["kink_points"] == pytest.approx(kink, abs=0.05)


@pytest.mark.parametrize("tilt", [8e-4, -8e-4])
def test_a_tilt_is_told_with_the_sign_of_the_discount_factor(tilt: float) -> None:
    row = Desk(flat_chain(tilt=tilt)).quality("SPX").row(0, named=True)
    left = 1e4 * tilt / (1 + DAYS / 365 / FADE_YEARS)
    assert row["tilt_bps"] == pytest.approx(left, abs=2 * row["tilt_error_bps"])
    assert np.sign(row["tilt_bps"]) == np.sign(tilt)
    assert abs(row["tilt_bps"]) > 2.0
    first = Desk(flat_chain(tilt=tilt)).expiry_quality("SPX").row(0, named=True)
    assert first["tilt_bps"] == pytest.approx(1e4 * tilt, abs=2.0)


def test_an_expiry_that_stands_out_is_named_with_how_far() -> None:
    odd = EXPIRIES[8]
    desk = Desk(flat_chain(off={odd: 0.005}))
    row = desk.quality("SPX").row(0, named=True)
    assert row["expiries_doubted"] >= 1
    assert f"{odd} (" in row["doubted_expiries"]
    assert row["doubted_expiries"].endswith(" s.e.)")
    each = desk.expiry_quality("SPX")
    worst = each.row(each["off_std_errors"].fill_nan(0.0).arg_max(), named=True)
    assert worst["expiry"] == odd
    assert worst["is_doubted"]
    assert worst["off_std_errors"] > 2.5
    assert each.filter(~pl.col("is_doubted"))["off_std_errors"].is_nan().all()


def test_strikes_off_the_line_and_expiries_that_take_no_part_are_counted() -> None:
    chain = flat_chain()
    quotes = chain.quotes.with_columns(
        ask=pl.when(
            pl.col("expiry") == EXPIRIES[4], pl.col("strike") == 6100.0, pl.col("right") == "C"
        )
        .then(pl.col("ask") + 80.0)
        .otherwise(pl.col("ask"))
    ).filter((pl.col("expiry") != EXPIRIES[2]) | (pl.col("strike") < 5100.0))
    desk = Desk(with_quotes(chain, quotes))
    row = desk.quality("SPX").row(0, named=True)
    assert (row["expiries"], row["expiries_used"]) == (11, 10)
    assert row["reason"].startswith("1 of 11 expiries take no part: 4 two-sided strikes")
    assert row["strikes_doubted"] == 1
    assert row["strikes_used"] == 10 * 121 - 1
    each = desk.expiry_quality("SPX")
    assert each.schema == EXPIRY_QUALITY_SCHEMA
    gone = each.row(2, named=True)
    assert (gone["expiry"], gone["strikes_used"]) == (EXPIRIES[2], 0)
    assert str(gone["kink_points"]) == "nan"


def test_without_any_line_there_is_a_reason_and_no_number() -> None:
    row = Desk(flat_chain(root="SPY")).quality("SPY").row(0, named=True)
    assert row["reason"].startswith("11 of 11 expiries take no part: a box is no loan")
    assert (row["at_expiry"], row["expiries_used"], row["strikes_used"]) == (None, 0, 0)
    assert str(row["kink_points"]) == str(row["tilt_error_bps"]) == "nan"
    none = Desk(flat_chain(root="SPY")).quality()
    assert none.is_empty()
    assert none.schema == QUALITY_SCHEMA


def test_it_is_the_joint_fits_view_whichever_fit_gives_the_rates() -> None:
    chain = flat_chain(kink=1.0)
    joint = Desk(chain).quality()
    assert Desk(chain, Conventions(fit=CurveFit.PER_EXPIRY)).quality().equals(joint)


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_every_real_root_has_a_quality(path: Path) -> None:
    desk = Desk(read_cboe(path))
    frame = desk.quality()
    assert frame["root"].to_list() == desk.loan_roots
    assert (frame["expiries_used"] <= frame["expiries"]).all()
    known = frame.filter(pl.col("at_expiry").is_not_null())
    assert known["kink_points"].abs().max() < 10  # type: ignore[operator]
    assert known["tilt_bps"].abs().max() < 30  # type: ignore[operator]
    assert (known["kink_error_points"] > 0).all()
    for root in desk.loan_roots:
        each = desk.expiry_quality(root)
        used = each.filter(pl.col("reason") == "")
        row = frame.filter(root=root).row(0, named=True)
        assert row["strikes_used"] == used["strikes_used"].sum()
        assert row["expiries_doubted"] == each["is_doubted"].sum()
