"""Whole chains through the joint fit: bad input gives a reason and no number; real chains agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.curves.smooth_curve import FEWEST_EXPIRIES, smooth_curve
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.kernels import KINKED, PARITY
from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding
from tests.books.black_chains import LENGTHS, NOON, RATE, SPOT, Errors, chain_of, rows_of
from tests.real_data import CHAIN_FILES, DATA, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

NUMBERS = ("discount", "forward", "fair_rate", "std_error_bps", "discount_error")
PER = CurveFit.PER_EXPIRY
BENT = Errors(kink=1.5, tilt_bps=10.0)
LONG = LENGTHS[4:]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    KINKED.load()
    PARITY.load()
    yield
    KINKED.unload()
    PARITY.unload()


def table_of(chain: Chain, **conventions: Any) -> pl.DataFrame:
    """Return the curve, continuous, with ``off_bps`` from the rate of ``black_chains``."""
    desk = Desk(chain, Conventions(compounding=Compounding.CONTINUOUS, **conventions))
    return desk.curve().with_columns(off_bps=(pl.col("fair_rate") - RATE) * 1e4)


def without_numbers(table: pl.DataFrame) -> set[str]:
    """Check that no expiry has a number, and return the reasons, their figures left out."""
    for name in NUMBERS:
        assert table[name].is_nan().all()
    return set(table["reason"].str.replace_all(r"-?\d+(,\d{3})*(\.\d+)?", "#"))


def moved(rows: pl.DataFrame, points: float, right: str = "C") -> pl.DataFrame:
    """Move both sides of the calls or puts above the money."""
    here = (pl.col("strike") > SPOT) & (pl.col("right") == right)
    return rows.with_columns(
        **{
            side: pl.when(here).then(pl.col(side) + points).otherwise(pl.col(side))
            for side in ("bid", "ask")
        }
    )


def test_kink_and_tilt_are_taken_away_and_the_errors_say_how_far() -> None:
    bent, alone = (table_of(chain_of(rows_of(errors=BENT)), fit=fit) for fit in ("joint", PER))
    assert (bent["off_bps"].abs() < 2 * bent["std_error_bps"]).all()
    month = pl.col("days").is_between(20, 70)
    off, off_alone = (float(np.abs(t.filter(month)["off_bps"]).mean()) for t in (bent, alone))
    assert off < 0.25 * off_alone


def test_one_expiry_has_a_rate_with_the_error_of_an_unknown_tilt() -> None:
    [one] = table_of(chain_of(rows_of(lengths=(29,)))).to_dicts()
    [among] = table_of(chain_of(rows_of())).filter(pl.col("days") == one["days"]).to_dicts()
    assert abs(one["off_bps"]) < 2 * one["std_error_bps"]
    assert one["std_error_bps"] > 4 * among["std_error_bps"]


def test_without_short_expiries_the_errors_are_larger_and_still_hold_the_truth() -> None:
    all_of_them = table_of(chain_of(rows_of(errors=BENT)))
    long = table_of(chain_of(rows_of(lengths=LONG, errors=BENT)))
    few = table_of(chain_of(rows_of(lengths=(29, 64, 92), errors=BENT)))
    both = all_of_them.join(long, on="expiry", suffix="_long")
    assert len(both) == len(LONG)
    assert (both["std_error_bps_long"] > both["std_error_bps"]).all()
    for table in (long, few):
        assert (table["off_bps"].abs() < 2 * table["std_error_bps"]).all()


def test_crossed_halves_are_left_out_and_the_other_halves_are_right() -> None:
    low = pl.col("strike") < SPOT
    crossed = rows_of().with_columns(
        bid=pl.when(low).then("ask").otherwise("bid"), ask=pl.when(low).then("bid").otherwise("ask")
    )
    table = table_of(chain_of(crossed))
    assert (table["off_bps"].abs() < 2 * table["std_error_bps"]).all()
    assert (table["strikes_used"] <= 62).all()
    assert table["rejected"].str.contains("crossed").all()


def test_halves_of_the_strikes_that_contradict_each_other_give_no_rate() -> None:
    for right, points in (("C", 2.0), ("C", -4.0), ("P", 25.0)):
        table = table_of(chain_of(moved(rows_of(), points, right)))
        reasons = without_numbers(table)
        assert "strikes below and above the forward contradict each other by # points" in reasons
        assert reasons <= {
            "strikes below and above the forward contradict each other by # points",
            "at least half of the root's expiries have quotes that cannot be",
        }
        assert table["strikes_used"].sum() == 0


def test_half_of_the_strikes_an_hour_old_are_left_out_where_their_times_are_known() -> None:
    old = moved(rows_of(), 25.0, "P").with_columns(
        quote_time=pl.when(pl.col("strike") > SPOT)
        .then(pl.lit(NOON - timedelta(hours=1)))
        .otherwise(pl.lit(NOON))
    )
    table = table_of(chain_of(old))
    assert (table["off_bps"].abs() < 2 * table["std_error_bps"]).all()
    assert table["rejected"].str.contains("stale").all()
    let_in = table_of(chain_of(old), rules=QualityRules(exclude=LegFlag.CROSSED))
    known = let_in.filter(pl.col("fair_rate").is_finite())
    assert (known["off_bps"].abs() < 2 * known["std_error_bps"]).all()


def test_a_root_all_stale_has_no_rate() -> None:
    stale = rows_of().with_columns(quote_time=pl.lit(NOON - timedelta(hours=1)))
    reason = "# two-sided strikes; a kinked line needs #; left out: # where leg is stale"
    assert without_numbers(table_of(chain_of(stale))) == {reason}


def test_strikes_of_another_root_give_no_rate() -> None:
    strange = chain_of(rows_of("SPX", unit=0.1), rows_of("SPXW"))
    table = table_of(strange)
    spx = table.filter(pl.col("root") == "SPX")
    assert without_numbers(spx) == {"the forward would be # where the spot is #"}
    assert table.filter(pl.col("root") == "SPXW")["fair_rate"].is_finite().all()


@pytest.mark.parametrize("spot", [SPOT, None])
def test_expiries_of_two_indexes_in_one_root_give_no_rate(spot: float | None) -> None:
    mixed = chain_of(rows_of(lengths=LENGTHS[::2]), rows_of(lengths=LENGTHS[1::2], unit=0.1))
    for reason in without_numbers(
        table_of(replace(mixed, spot={} if spot is None else mixed.spot))
    ):
        assert "the forward would be #" in reason or "at least half" in reason


def test_strikes_of_two_indexes_in_one_expiry_give_no_rate() -> None:
    reasons = without_numbers(table_of(chain_of(rows_of(), rows_of(unit=0.1))))
    assert reasons <= {
        "discount factor # for # days, which no loan has",
        "# two-sided strikes, which lie on no kinked line",
        "the discount factor is known only to ±# %",
    }


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (100.0, "the parity line has discount factor #, which no loan has"),
        (0.01, "discount factor # for # days, which no loan has"),
    ],
)
def test_prices_in_cents_or_in_hundreds_give_no_rate(times: float, reason: str) -> None:
    wrong = rows_of().with_columns(bid=pl.col("bid") * times, ask=pl.col("ask") * times)
    assert without_numbers(table_of(chain_of(wrong))) == {reason}


def test_a_discount_factor_that_no_loan_has_gives_no_rate_nor_do_its_neighbours() -> None:
    for rate in (-0.3, 0.9):
        reasons = without_numbers(table_of(chain_of(rows_of(rate=rate))))
        assert any(reason.endswith("which no loan has") for reason in reasons)


def test_expired_options_take_no_part() -> None:
    table = table_of(chain_of(rows_of(lengths=(-1, 0, *LENGTHS))))
    assert table["reason"].to_list()[:3] == [
        "the options have expired",
        "nothing is left of the loan: premium and payment fall on one day",
        "",
    ]
    live = table_of(chain_of(rows_of(lengths=(0, *LENGTHS))))
    assert table["fair_rate"].to_list()[2:] == pytest.approx(
        live["fair_rate"].to_list()[1:], abs=1e-3
    )
    assert without_numbers(table_of(chain_of(rows_of(lengths=(-1,))))) == {
        "the options have expired"
    }


def test_a_rate_known_only_to_more_than_100_bp_is_none() -> None:
    wild = Errors(noise=3.0)
    [one] = table_of(chain_of(rows_of(lengths=(6,), errors=wild))).to_dicts()
    assert one["reason"].startswith(("the rate is known only to ±", "the discount factor is known"))
    assert all(np.isnan(one[name]) for name in NUMBERS)
    known = table_of(chain_of(rows_of(errors=wild))).filter(pl.col("fair_rate").is_finite())
    assert (known["std_error_bps"] <= 100).all()
    assert (known["off_bps"].abs() < 3 * known["std_error_bps"]).all()


def test_prices_and_strikes_times_ten_change_no_rate_and_have_ten_times_the_kink() -> None:
    small, large = (
        Desk(chain_of(rows_of(errors=BENT, unit=unit), spot=None)).joint("SPXW")
        for unit in (1.0, 10.0)
    )
    rates, errors = zip(*(curve.fit.growth() for curve in (small, large) if curve.fit), strict=True)
    years = small.lines.years
    np.testing.assert_allclose(rates[1] / years, rates[0] / years, atol=0.05e-4)
    np.testing.assert_allclose(errors[1], errors[0], rtol=0.02)
    np.testing.assert_allclose(large.fits().forward, 10 * small.fits().forward, rtol=1e-6)
    np.testing.assert_allclose(large.lines.fits.kink, 10 * small.lines.fits.kink, rtol=0.01)


def test_one_curve_shares_the_discounts_of_an_index_and_no_forward() -> None:
    chain = chain_of(
        rows_of("SPX", LONG, Errors(1.0, 5.0, seed=3)),
        rows_of("SPXW", LENGTHS, Errors(-1, -8, seed=4)),
    )
    shared, apart = table_of(chain, fit=CurveFit.ONE_CURVE), table_of(chain)

    def beside(table: pl.DataFrame) -> pl.DataFrame:
        by_root = {root: table.filter(pl.col("root") == root) for root in ("SPX", "SPXW")}
        return by_root["SPX"].join(by_root["SPXW"], on="expiry", suffix="_w")

    both = beside(shared)
    assert len(both) == len(LONG)
    np.testing.assert_allclose(both["discount"], both["discount_w"], rtol=1e-12)
    assert (both["forward"] != both["forward_w"]).all()
    np.testing.assert_allclose(both["forward"], beside(apart)["forward"], atol=0.1)
    assert (beside(apart)["discount"] != beside(apart)["discount_w"]).all()
    assert (both["std_error_bps"] < beside(apart)["std_error_bps"]).all()


def test_an_index_of_its_own_shares_no_curve() -> None:
    chain = chain_of(rows_of("SPXW"), rows_of("XSP", unit=0.1, rate=0.05))
    desk = Desk(chain, Conventions(fit=CurveFit.ONE_CURVE))
    assert desk.joint("XSP").fit is not desk.joint("SPXW").fit
    table = table_of(chain, fit=CurveFit.ONE_CURVE).filter(pl.col("days") > 60)
    off = table.group_by("root").agg(pl.col("off_bps").mean()).sort("root")["off_bps"].to_list()
    assert off == pytest.approx([0.0, 100.0], abs=3.0)


def test_each_expiry_by_itself_stays_what_0_1_0_gave() -> None:
    desk = Desk(chain_of(rows_of(errors=BENT)), Conventions(fit=PER))
    found, table = parity_fits(desk.strikes("SPXW").blocks), desk.curve("SPXW")
    known = ~np.isnan(table["discount"].to_numpy())
    np.testing.assert_array_equal(table["discount"].to_numpy()[known], found.discount[known])
    np.testing.assert_array_equal(table["discount_error"].to_numpy()[known], found.std_error[known])
    days = [date(2026, 1, 5), date(2026, 6, 5)]
    spline, asked = smooth_curve(table, "SPXW"), desk.smooth("SPXW")
    assert asked is not None
    assert asked.rates(days).equals(spline.rates(days))
    assert np.count_nonzero(known) >= FEWEST_EXPIRIES


# Real chains.

real = pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)


@cache
def real_chain(name: str) -> Chain:
    """Read a chain of either folder by its day."""
    paths = [*CHAIN_FILES, *sorted((DATA / "chains_more").glob("*.csv.gz"))]
    [path] = [path for path in paths if path.name.startswith(name)]
    return read_cboe(path) if "cboe" in path.name else read_chain_csv(path)


def rate_at(chain: Chain, root: str, day: date, **conventions: Any) -> tuple[float, float]:
    """Return the continuous rate to a day, and its standard error in bp."""
    curve = Desk(chain, Conventions(**conventions)).smooth(root)
    assert curve is not None
    [row] = curve.rates([day], Compounding.CONTINUOUS).to_dicts()
    return row["rate"], row["std_error_bps"]


FRIDAY, SUNDAY = "spx_20250829_1614", "spx_20250829_dl20250831_2233GTH"


@pytest.mark.realdata
@real
@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_a_weekend_moves_no_rate(root: str) -> None:
    month = date(2025, 10, 2)  # thirty days from the Tuesday on which both premiums are paid
    before, after = (rate_at(real_chain(name), root, month)[0] for name in (FRIDAY, SUNDAY))
    assert abs(after - before) <= 20e-4


@pytest.mark.realdata
@real
@pytest.mark.parametrize("name", ["spx_20230914", "spx_20250904", "spx_20220712", "spx_20181015"])
def test_two_roots_of_one_index_have_one_rate(name: str) -> None:
    chain = real_chain(name)
    day = chain.snapshot_time.date()
    for days in (30, 60, 91, 182):
        until = day + timedelta(days=days)
        (rate, error), (other, other_error) = (
            rate_at(chain, root, until) for root in ("SPX", "SPXW")
        )
        assert abs(rate - other) * 1e4 <= 2 * np.hypot(error, other_error)


@pytest.mark.realdata
@real
@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_two_weeks_before_a_rise_of_the_policy_rate_have_the_mean_of_both(root: str) -> None:
    # The Federal Reserve had 2.25 to 2.5 % and went to 3 to 3.25 % on 2022-09-21.
    rate, error = rate_at(real_chain("spx_20220913"), root, date(2022, 9, 28))
    assert 0.025 <= rate <= 0.030
    assert error < 40


@pytest.mark.realdata
@real
@pytest.mark.parametrize("path", CHAIN_FILES[:4], ids=lambda path: path.name.split(".")[0])
def test_no_part_of_a_real_chain_ends_in_an_error(path: Path) -> None:
    chain = read_cboe(path)
    low = pl.col("strike") < pl.col("strike").median().over("root", "expiry")
    odd = pl.col("strike").rank("dense").over("root", "expiry") % 2 == 1
    for part in (low, ~low, odd, pl.col("expiry") > pl.col("expiry").median().over("root")):
        table = table_of(replace(chain, quotes=chain.quotes.filter(part)))
        rates = table.filter(pl.col("fair_rate").is_finite())
        assert len(rates) + len(table.filter(pl.col("reason") != "")) == len(table)
        assert rates["fair_rate"].is_between(-0.1, 0.5).all()
        assert rates["std_error_bps"].is_between(1.5, 100).all()
