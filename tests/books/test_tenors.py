"""Rates at any dates: exact on a flat curve, and a reason wherever there is none."""

from __future__ import annotations

from datetime import date, timedelta
from math import log
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.views.tenors import TENOR_SCHEMA
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.reference_curve import OvernightRate
from live_box_spreads.model.settlement import premium_date
from tests.books.flat_market import EXPIRIES, PAID, RATE, flat_chain
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

DAYS = (30, 91, 182)
PULL = 5e-6
"""A twentieth of a basis point: the short rate of 3 % that is believed a priori pulls by less."""


def _after(*days: int) -> list[date]:
    return [PAID + timedelta(days=count) for count in days]


@pytest.fixture(scope="module")
def flat() -> Chain:
    return flat_chain()


def _said(compounding: Compounding, days: int) -> float:
    """Say 5 % effective otherwise, by the formulas of a book."""
    grown: float = 1.05 ** (days / 365)
    said: dict[Compounding, float] = {
        Compounding.EFFECTIVE: 0.05,
        Compounding.CONTINUOUS: log(1.05),
        Compounding.SIMPLE: (grown - 1) * 360 / days,
        Compounding.BOND_EQUIVALENT: 2 * (1.05**0.5 - 1),
    }
    return said[compounding]


@pytest.mark.parametrize("fit", CurveFit)
@pytest.mark.parametrize("compounding", Compounding)
def test_a_flat_curve_gives_its_rate_and_its_forward_rate(
    flat: Chain, compounding: Compounding, fit: CurveFit
) -> None:
    desk = Desk(flat, Conventions(compounding=compounding, fit=fit))
    rows = desk.tenors(_after(*DAYS)).to_dicts()
    assert [(row["root"], row["days"], row["note"]) for row in rows] == [
        ("SPX", days, "") for days in DAYS
    ]
    assert [row["payment_date"] for row in rows] == _after(*DAYS)
    for row, lent in zip(rows, (30, 61, 91), strict=True):
        assert row["rate"] == pytest.approx(_said(compounding, row["days"]), abs=PULL)
        assert row["forward_rate"] == pytest.approx(_said(compounding, lent), abs=PULL)
        assert 0 < row["std_error_bps"] < 20


def test_rows_come_soonest_first_and_each_once_and_the_first_forward_is_the_rate(
    flat: Chain,
) -> None:
    frame = Desk(flat).tenors(_after(91, 30, 91))
    assert frame.schema == TENOR_SCHEMA
    assert frame["days"].to_list() == [30, 91]
    assert frame["forward_rate"][0] == pytest.approx(frame["rate"][0], abs=1e-12)


def test_forward_rates_join_to_the_rate() -> None:
    """Lending to the first date and on to the second is lending to the second."""
    chain = flat_chain(off={EXPIRIES[-1]: 0.01})
    short, long = (
        Desk(chain, Conventions(compounding=Compounding.CONTINUOUS))
        .tenors(_after(40, 200))["rate", "forward_rate"]
        .rows()
    )
    assert 40 * short[0] + 160 * long[1] == pytest.approx(200 * long[0], abs=1e-12)


def test_days_that_are_over_have_no_rate_and_the_next_forward_begins_with_the_premium(
    flat: Chain,
) -> None:
    rows = Desk(flat).tenors([*_after(-900, 0, 30)]).to_dicts()
    assert [row["note"] for row in rows] == [f"not after the premium date {PAID}"] * 2 + [""]
    assert rows[0]["days"] == -900
    assert str(rows[0]["rate"]) == str(rows[1]["forward_rate"]) == "nan"
    assert rows[2]["forward_rate"] == pytest.approx(RATE, abs=PULL)


def test_beyond_the_expiries_the_note_says_so_and_far_beyond_there_is_no_rate(flat: Chain) -> None:
    rows = Desk(flat).tenors([*_after(1, 300), date(9999, 12, 31)]).to_dicts()
    first, last = EXPIRIES[0], EXPIRIES[-1]
    assert rows[0]["note"] == f"before that of the first expiry {first}, extrapolated"
    assert rows[1]["note"] == f"beyond the last expiry {last}, extrapolated"
    assert rows[1]["rate"] == pytest.approx(RATE, abs=20e-4)
    assert rows[2]["note"].startswith("known only to ±")
    assert rows[2]["note"].endswith(f" bp; beyond the last expiry {last}, extrapolated")
    assert str(rows[2]["rate"]) == str(rows[2]["std_error_bps"]) == "nan"


def test_a_forward_that_is_not_known_is_said_where_the_rate_is(flat: Chain) -> None:
    row = Desk(flat).tenors(_after(30, 31)).row(1, named=True)
    assert row["note"] == ""
    assert row["forward_rate"] == pytest.approx(RATE, abs=PULL)
    chain = flat_chain(EXPIRIES[:-2])
    found = Desk(chain).tenors(_after(45, 900, 901, 8000))
    unknown = found.filter(pl.col("rate").is_finite(), pl.col("forward_rate").is_nan())
    for note in unknown["note"]:
        assert "forward known only to ±" in note
    assert len(unknown) > 0


def test_a_reference_is_of_the_same_loan_and_the_note_stays_last(flat: Chain) -> None:
    reference = OvernightRate("flat", date(2026, 11, 23), 0.036)
    frame = Desk(flat, Conventions(reference=reference)).tenors(_after(91))
    assert frame.columns == [
        *("root", "days", "payment_date", "rate", "std_error_bps", "forward_rate"),
        "forward_std_error_bps",
        *("reference_rate", "reference_date", "reference_name", "spread_bps", "note"),
    ]
    expected = reference.rate(PAID, PAID + timedelta(days=91), Compounding.EFFECTIVE)
    assert frame["reference_rate"][0] == pytest.approx(expected, rel=1e-12)
    assert frame["spread_bps"][0] == pytest.approx(1e4 * (RATE - expected), abs=0.05)


NO_CURVE = "no curve: {0} of {0} expiries have no rate, such as: {1}"


@pytest.mark.parametrize(
    ("market", "fit", "why"),
    [
        (
            {"strikes": (6400.0, 6500.0, 6600.0)},
            CurveFit.JOINT,
            NO_CURVE.format(11, "3 two-sided strikes; a kinked line needs 6"),
        ),
        (
            {"expiries": EXPIRIES[:3]},
            CurveFit.PER_EXPIRY,
            "3 expiries with a fair rate are too few for a curve",
        ),
        (
            {"root": "SPY"},
            CurveFit.JOINT,
            NO_CURVE.format(11, "a box is no loan: the root is not known to be European"),
        ),
        (
            {"expiries": (date(2026, 11, 20), date(2026, 11, 23))},
            CurveFit.JOINT,
            NO_CURVE.format(2, "the options have expired"),
        ),
    ],
    ids=["few strikes", "few expiries", "no loan", "all expired"],
)
def test_a_root_without_a_curve_has_rows_with_the_reason(
    market: dict[str, Any], fit: CurveFit, why: str
) -> None:
    chain = flat_chain(**market)
    [root] = chain.roots
    rows = Desk(chain, Conventions(fit=fit)).tenors(_after(30, 91), root).to_dicts()
    assert [row["note"] for row in rows] == [why, why]
    assert [row["days"] for row in rows] == [30, 91]
    assert {str(row["rate"]) for row in rows} == {"nan"}


def test_only_roots_on_which_a_box_is_a_loan_unless_one_is_named(flat: Chain) -> None:
    none = Desk(flat_chain(EXPIRIES[:2], root="SPY")).tenors(_after(30))
    assert none.is_empty()
    assert none.schema == TENOR_SCHEMA
    assert Desk(flat).tenors([]).schema == TENOR_SCHEMA
    with pytest.raises(ChainError, match="NDX"):
        Desk(flat).tenors(_after(30), "NDX")


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_every_real_root_has_a_rate_or_a_reason_at_each_date(path: Path) -> None:
    desk = Desk(read_cboe(path))
    paid = premium_date(desk.chain.snapshot_time)
    dates = [paid + timedelta(days=days) for days in (1, 30, 91, 182, 365, 3650, 36500)]
    frame = desk.tenors(dates)
    assert len(frame) == len(dates) * len(desk.loan_roots)
    unknown = frame["rate"].is_nan()
    assert frame.filter(unknown)["note"].str.contains("known only to|no curve").all()
    assert frame.filter(~unknown)["std_error_bps"].is_between(1.0, 110.0).all()
    assert frame.filter(days=91)["rate"].is_between(-0.01, 0.08).any()
