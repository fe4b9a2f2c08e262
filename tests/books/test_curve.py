"""The curve table: columns, dates, conventions, reasons; on real chains against published rates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.conventions import CurveFit
from live_box_spreads.books.curves.curve import CURVE_SCHEMA
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import TimeBasis
from tests.books.by_desk import band_table, curve
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

DISCOUNT, FORWARD = 0.958, 6600.0
PER_EXPIRY = CurveFit.PER_EXPIRY
JOINT_FLOOR_BPS = 1.5  # no standard error of a joint curve is below
QUOTED_AT = datetime(2026, 11, 24, 20, tzinfo=UTC)
DESIGN_COLUMNS = [
    "root",
    "expiry",
    "settlement",
    "premium_date",
    "payment_date",
    "days",
    "years",
    "discount",
    "forward",
    "fair_rate",
    "std_error_bps",
    "lend_rate",
    "borrow_rate",
    "strikes_used",
]


def parity_rows(count: int = 41, **more: Any) -> list[dict[str, Any]]:
    """Quote calls and puts exactly around parity, half-spreads 0.2."""
    rows = []
    for strike in np.linspace(5000.0, 8000.0, count):
        put = 40.0 + max(DISCOUNT * (strike - FORWARD), 0.0)
        for right, fair in (("C", put + DISCOUNT * (FORWARD - strike)), ("P", put)):
            sides = {"bid": fair - 0.2, "ask": fair + 0.2}
            rows.append({"strike": strike, "right": right, **sides, **more})
    return rows


@pytest.fixture
def chain(make_chain: Callable[..., Chain]) -> Chain:
    return make_chain(parity_rows())


def test_has_the_columns_of_the_design_first(chain: Chain) -> None:
    table = curve(chain)
    assert table.schema == CURVE_SCHEMA
    assert table.columns[: len(DESIGN_COLUMNS)] == DESIGN_COLUMNS


def test_a_line_without_errors(chain: Chain) -> None:
    [row] = curve(chain, fit=PER_EXPIRY).to_dicts()
    # docs/method.md: paid on 2026-11-25 and 2027-12-20, 390 days
    assert (row["premium_date"], row["payment_date"]) == (date(2026, 11, 25), date(2027, 12, 20))
    assert (row["root"], row["settlement"], row["days"]) == ("SPX", "AM", 390)
    assert row["years"] == 390 / 365
    assert row["discount"] == pytest.approx(DISCOUNT, rel=1e-12)
    assert row["forward"] == pytest.approx(FORWARD, rel=1e-12)
    assert row["fair_rate"] == pytest.approx(0.958 ** (-365 / 390) - 1, rel=1e-9)
    assert row["std_error_bps"] < 0.1
    assert row["lend_rate"] < row["fair_rate"] < row["borrow_rate"]
    assert (row["strikes_used"], row["strikes_rejected"]) == (41, 0)
    assert (row["rejected"], row["reason"], row["band_note"]) == ("", "", "")


def test_a_line_without_errors_is_followed_by_the_joint_curve_but_for_its_prior(
    chain: Chain,
) -> None:
    [joint], [alone] = curve(chain).to_dicts(), curve(chain, fit=PER_EXPIRY).to_dicts()
    fitted = ("discount", "forward", "fair_rate", "std_error_bps", "discount_error")
    assert {k: v for k, v in joint.items() if k not in fitted} == {
        k: v for k, v in alone.items() if k not in fitted
    }
    assert joint["fair_rate"] == pytest.approx(alone["fair_rate"], abs=0.2e-4)
    assert joint["forward"] == pytest.approx(FORWARD, abs=0.05)
    assert JOINT_FLOOR_BPS < joint["std_error_bps"] < 2 * JOINT_FLOOR_BPS


@pytest.mark.parametrize("compounding", Compounding)
def test_says_rates_in_each_convention(chain: Chain, compounding: Compounding) -> None:
    [row] = curve(chain, compounding=compounding, fit=PER_EXPIRY).to_dicts()
    assert row["fair_rate"] == pytest.approx(rate_from_discount(DISCOUNT, 390 / 365, compounding))
    [joint] = curve(chain, compounding=compounding).to_dicts()
    said = rate_from_discount(joint["discount"], 390 / 365, compounding)
    assert joint["fair_rate"] == pytest.approx(said, rel=1e-12)
    [band] = band_table(chain, compounding=compounding).to_dicts()
    assert (row["lend_rate"], row["borrow_rate"]) == (band["lend_rate"], band["borrow_rate"])


def test_counts_years_on_either_basis(chain: Chain) -> None:
    [row] = curve(chain, basis=TimeBasis.EXPIRY_INSTANT, fit=PER_EXPIRY).to_dicts()
    # from 15:00 on 2026-11-24 to 09:30 on 2027-12-17, New York: 388 days less five and a half hours
    assert row["years"] == pytest.approx((388 - 5.5 / 24) / 365)
    assert row["fair_rate"] == pytest.approx(rate_from_discount(DISCOUNT, row["years"]), rel=1e-9)
    assert row["days"] == 390


@pytest.mark.parametrize(("fit", "least"), [(PER_EXPIRY, 0.05), (CurveFit.JOINT, JOINT_FLOOR_BPS)])
def test_the_standard_error_is_that_of_the_rate(
    make_chain: Callable[..., Chain], fit: CurveFit, least: float
) -> None:
    rng = np.random.default_rng(2)
    rows = parity_rows()
    for row in rows:
        off = 0.05 * rng.standard_normal()
        row["bid"], row["ask"] = row["bid"] + off, row["ask"] + off
    noisy = make_chain(rows)
    [fair] = curve(noisy, fit=fit).to_dicts()
    [continuous] = curve(noisy, compounding=Compounding.CONTINUOUS, fit=fit).to_dicts()
    error = continuous["std_error_bps"] / 1e4 * fair["years"] * fair["discount"]
    # d(effective)/dD = -(1 + r) / (D years)
    slope = (1 + fair["fair_rate"]) / fair["discount"] / fair["years"]
    assert fair["std_error_bps"] == pytest.approx(1e4 * error * slope, rel=1e-3)
    assert least < fair["std_error_bps"] < 5.0


def test_filters_touch_the_band_alone(chain: Chain) -> None:
    [free] = curve(chain).to_dicts()
    [narrow] = curve(chain, filters=BoxFilters(max_strike_gap=100.0)).to_dicts()
    assert narrow["fair_rate"] == free["fair_rate"]
    assert narrow["lend_rate"] < free["lend_rate"]


@pytest.mark.parametrize(
    ("rows", "rules", "reason"),
    [
        (
            parity_rows(4),
            QualityRules(),
            "4 two-sided strikes; a kinked line needs 6",
        ),
        (
            parity_rows(quote_time=QUOTED_AT - timedelta(hours=1)),
            QualityRules(),
            "0 two-sided strikes; a kinked line needs 6; left out: 41 where leg is stale",
        ),
        (parity_rows(expiry=date(2026, 11, 20)), QualityRules(), "the options have expired"),
        (
            parity_rows(root="SPXW", settlement="PM", expiry=date(2026, 11, 24)),
            QualityRules(),
            "nothing is left of the loan: premium and payment fall on one day",
        ),
        (
            parity_rows(root="SPY"),
            QualityRules(),
            "a box is no loan: the root is not known to be European",
        ),
    ],
)
def test_no_number_rather_than_a_bad_one(
    make_chain: Callable[..., Chain], rows: list[dict[str, Any]], rules: QualityRules, reason: str
) -> None:
    [row] = curve(make_chain(rows), rules=rules).to_dicts()
    assert row["reason"] == reason
    for name in ("discount", "forward", "fair_rate", "std_error_bps"):
        assert np.isnan(row[name])
    assert row["strikes_used"] == 0


def test_every_listed_strike_is_used_or_rejected(random_chain: Callable[..., Chain]) -> None:
    chain = random_chain(3, 120)
    for exclude in (LegFlag.OK, LegFlag.CROSSED | LegFlag.STALE, LegFlag.ZERO_BID):
        [row] = curve(chain, rules=QualityRules(exclude=exclude)).to_dicts()
        assert row["strikes_used"] + row["strikes_rejected"] == chain.quotes["strike"].n_unique()
        counted = [int(part.rsplit(": ", 1)[1]) for part in row["rejected"].split("; ")]
        assert sum(counted) == row["strikes_rejected"]


class FlatReference:
    name, as_of = "flat", date(2026, 11, 23)

    def rate(
        self,
        premium_date: date,
        payment_date: date,
        compounding: Compounding = Compounding.EFFECTIVE,
    ) -> float:
        assert (premium_date, payment_date) == (date(2026, 11, 25), date(2027, 12, 20))
        return rate_from_discount(0.961, 390 / 365, compounding)


def test_a_reference_adds_its_rate_and_the_spread(chain: Chain) -> None:
    [row] = curve(chain, reference=FlatReference(), compounding=Compounding.SIMPLE).to_dicts()
    assert row["reference_rate"] == pytest.approx((1 / 0.961 - 1) * 360 / 390)
    assert row["spread_bps"] == pytest.approx(1e4 * (row["fair_rate"] - row["reference_rate"]))


def test_an_empty_chain_and_an_unknown_root(chain: Chain) -> None:
    empty = type(chain).build(
        chain.quotes.clear(),
        snapshot_time=chain.snapshot_time,
        feed="test",
        timeliness=chain.timeliness,
    )
    assert curve(empty).is_empty()
    assert curve(empty).schema == CURVE_SCHEMA
    with pytest.raises(ChainError, match="no root 'SPXX'"):
        curve(chain, root="SPXX")


real = pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)


@pytest.mark.realdata
@real
def test_near_the_box_rates_published_for_2011_01_24() -> None:
    # Continuous; van Binsbergen, Diamond and Grotteria fit the whole day, we one moment of it.
    [path] = [path for path in CHAIN_FILES if "20110124" in path.name]
    fitted = curve(read_cboe(path), root="SPX", compounding=Compounding.CONTINUOUS).filter(
        pl.col("std_error_bps") < 10
    )
    for years, published in ((0.5, 0.42), (1.0, 0.47), (1.5, 0.64)):
        found = 100 * np.interp(years, fitted["years"], fitted["fair_rate"])
        assert found == pytest.approx(published, abs=0.05)


@pytest.mark.realdata
@real
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_fair_rates_of_real_chains_lie_in_the_band(path: Path) -> None:
    table = curve(read_cboe(path)).filter(pl.col("fair_rate").is_finite())
    assert len(table) >= 13
    inside = table.filter(pl.col("band_note") == "").select(
        pl.col("fair_rate").is_between("lend_rate", "borrow_rate")
    )
    assert inside.to_series().mean() == 1.0
