"""Whole chains through the joint fit: bad input gives a reason and no number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.curves.smooth_curve import FEWEST_EXPIRIES, smooth_curve
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.kernels import KINKED, PARITY
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding
from tests.books.black_chains import LENGTHS, NOON, RATE, SPOT, Errors, chain_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_box_spreads.model.chain import Chain

NUMBERS = ("discount", "forward", "fair_rate", "std_error_bps", "discount_error")
PER = CurveFit.PER_EXPIRY
SCATTERED = (
    "quotes contradict each other: mids scatter around any line, of most expiries, "
    "and of this one by # points at a half-spread of #"
)
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
            SCATTERED,
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
    # The tilt of one short expiry by itself could be anything; among others it is known.
    [one] = table_of(chain_of(rows_of(lengths=(4,)))).to_dicts()
    assert one["reason"].startswith("the rate is known only to ±")
    assert all(np.isnan(one[name]) for name in NUMBERS)
    first = table_of(chain_of(rows_of())).row(0, named=True)
    assert (first["expiry"], first["reason"]) == (one["expiry"], "")
    assert first["std_error_bps"] < 10


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


@pytest.mark.parametrize("scale", [0.98, 0.99, 1.01])
def test_prices_that_no_discount_of_no_time_allows_give_no_rate(scale: float) -> None:
    """A discount factor at time zero is one: prices of another unit or index miss it."""
    rows = rows_of().with_columns(pl.col("bid") * scale, pl.col("ask") * scale)
    table = table_of(chain_of(rows))
    assert not table["fair_rate"].is_finite().any()
    assert table["reason"].str.contains("prices are not those of options on this index").any()


def test_a_root_of_another_unit_takes_no_other_along_that_shares_its_curve() -> None:
    good, bad = rows_of("SPX"), rows_of("SPXW")
    bad = bad.with_columns(pl.col("bid") * 0.98, pl.col("ask") * 0.98)
    table = table_of(chain_of(pl.concat([good, bad])), fit=CurveFit.ONE_CURVE)
    rates = dict(table.group_by("root").agg(pl.col("fair_rate").is_finite().any()).rows())
    assert rates == {"SPX": True, "SPXW": False}
    known = table.filter(pl.col("fair_rate").is_finite())
    assert (known["off_bps"].abs() < 2 * known["std_error_bps"]).all()
