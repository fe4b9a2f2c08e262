"""What docs/accuracy.md claims, small and fast: on the simulated market, and on real chains."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from benchmarks.accuracy.estimates import OURS, ROBUST, estimates
from benchmarks.accuracy.real_chains import RealChain, chain_roughness
from benchmarks.accuracy.simulated import (
    OPENED,
    TENORS,
    chain_of,
    coverage,
    desk_errors,
    market_of_day,
)
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.kernels import KINKED, PARITY
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import trade_date
from live_box_spreads.simulator.market.conditions import CONDITIONS, NORMAL, lagging
from live_box_spreads.simulator.market.market import Market
from tests.books.by_desk import curve
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_box_spreads.model.chain import Chain

ROOTS = ("SPX", "SPXW")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    PARITY.load()
    KINKED.load()
    yield
    PARITY.unload()
    KINKED.unload()


def simulated(conditions: str, seed: int) -> tuple[Chain, pl.DataFrame]:
    """Return a chain and its curve beside the true rates (``true``, continuous)."""
    market = Market(OPENED, seed=seed, roots=ROOTS, conditions=CONDITIONS[conditions])
    chain, truth = chain_of(market), market.truth()
    table = curve(chain, compounding=Compounding.CONTINUOUS)
    true = [truth.rate(root, expiry) for root, expiry in table.select("root", "expiry").rows()]
    return chain, table.with_columns(true=pl.Series(true))


def errors_bps(table: pl.DataFrame) -> pl.Series:
    return ((table["fair_rate"] - table["true"]) * 1e4).rename("error")


@pytest.mark.parametrize("conditions", ["normal", "quiet"])
def test_within_a_basis_point_from_two_months_on_in_normal_markets(conditions: str) -> None:
    for seed in (101, 102):
        _, table = simulated(conditions, seed)
        error = errors_bps(table.filter(pl.col("days") >= 60)).to_numpy()
        assert error.size >= 25
        assert np.sqrt(np.mean(error**2)) < 1.0


@pytest.mark.parametrize(
    ("conditions", "fewest"), [("normal", 0.9), ("wide", 0.9), ("night", 0.75), ("stressed", 0.75)]
)
def test_two_standard_errors_hold_the_truth(conditions: str, fewest: float) -> None:
    # No bound from above: on days that err strike by strike, room is left for what roots share.
    tables = [simulated(conditions, seed)[1] for seed in (101, 102)]
    table = pl.concat(tables).filter(pl.col("fair_rate").is_finite(), pl.col("days") >= 5)
    assert len(table) > 100
    within = errors_bps(table).abs() < 2 * table["std_error_bps"]
    assert fewest <= np.mean(within.to_numpy())


def test_standard_errors_are_about_as_large_as_the_errors_where_a_root_errs_together() -> None:
    desks = {"joint": Conventions(), "alone": Conventions(fit=CurveFit.PER_EXPIRY)}
    errors = desk_errors(desks, range(101, 107), {"lag": lagging(1.0)}, ROOTS)
    joint, alone = (
        errors.filter(pl.col("estimator") == name, pl.col("days").is_between(11, 60))
        for name in desks
    )
    share = joint.select(
        one=(pl.col("error").abs() < pl.col("std_error")).mean(),
        two=(pl.col("error").abs() < 2 * pl.col("std_error")).mean(),
    ).row(0, named=True)
    assert 0.3 <= share["one"] <= 0.95  # twelve kinks and tilts in all, in pairs alike
    assert share["two"] >= 0.85
    assert joint["error"].is_finite().all()
    assert rms(joint["error"]) < 0.2 * rms(alone["error"])


def rms(errors: pl.Series) -> float:
    """Return the root mean square of the errors that there are."""
    return float(np.sqrt(np.nanmean(errors.to_numpy() ** 2)))


def test_standard_errors_are_held_against_days_on_which_a_root_errs_together() -> None:
    errors = desk_errors(
        {"one": Conventions(), "other": Conventions(compounding=Compounding.SIMPLE)},
        (101, 102),
        {"none": NORMAL, "lag": lagging(2.0)},
        ("SPXW",),
    )
    table = coverage(errors)
    assert table.columns[:3] == ["estimator", "day", "tenor"]
    assert table.select("estimator", "day").unique(maintain_order=True).rows() == [
        ("one", "none"),
        ("other", "none"),
        ("one", "lag"),
        ("other", "lag"),
    ]
    assert table["tenor"].to_list() == [*TENORS] * 4
    one, other = (table.filter(pl.col("estimator") == name) for name in ("one", "other"))
    assert one.drop("estimator").equals(other.drop("estimator"))  # all rates are continuous
    [own] = errors.filter(
        pl.col("estimator") == "one",
        pl.col("day") == "none",
        pl.col("seed") == 101,
        pl.col("days") == errors["days"].max(),
    ).to_dicts()
    market = market_of_day(NORMAL, 101, ("SPXW",))
    plain = curve(chain_of(market), compounding=Compounding.CONTINUOUS)
    true = market.truth().rate(own["root"], own["expiry"])
    [rate] = plain.filter(pl.col("expiry") == own["expiry"])["fair_rate"]
    assert own["error"] == pytest.approx((rate - true) * 1e4, abs=1e-9)
    month = one.filter(pl.col("tenor") == "21-44")
    off = dict(zip(month["day"], month["rms"], strict=True))
    assert off["lag"] > 3 * off["none"]


def test_the_chain_of_a_market_has_the_times_of_its_quotes() -> None:
    market = market_of_day(lagging(2.0), 101, ("SPXW",))
    chain = chain_of(market)
    quoted = chain.quotes.filter(pl.col("quote_time").is_not_null())
    ages_secs = (chain.snapshot_time - quoted["quote_time"]).dt.total_milliseconds() / 1e3
    known = market.now.timestamp() - market.book.quoted_at_secs
    expected = np.sort(known[~np.isnan(known)])
    np.testing.assert_allclose(np.sort(ages_secs.to_numpy()), expected, atol=2e-3)
    assert 30 < expected[-1] <= 70
    never = chain.quotes.filter(pl.col("quote_time").is_null())
    assert len(never) > 0
    assert never["bid"].is_nan().all()


def test_bad_quotes_planted_all_over_move_no_rate() -> None:
    chain, clean = simulated("normal", 101)
    rng = np.random.default_rng(1)
    count = len(chain.quotes)
    bad = rng.random(count) < 0.02
    moved = np.where(bad, rng.choice([-40.0, 25.0, 60.0], count), 0.0)
    quotes = chain.quotes.with_columns(
        bid=(pl.col("bid") + moved).clip(lower_bound=0.0), ask=pl.col("ask") + moved
    )
    planted = curve(replace(chain, quotes=quotes), compounding=Compounding.CONTINUOUS)
    long = clean["days"] >= 14
    apart = ((planted["fair_rate"] - clean["fair_rate"]) * 1e4 / clean["std_error_bps"]).filter(
        long
    )
    assert apart.is_finite().all()
    assert apart.abs().median() < 0.5  # type: ignore[operator]
    assert apart.abs().max() < 3.0  # type: ignore[operator]


def real_chain(name: str, *, everybody: bool = False) -> RealChain:
    [path] = [path for path in CHAIN_FILES if path.name.startswith(name)]
    chain = read_cboe(path)
    table = curve(chain, compounding=Compounding.CONTINUOUS)
    rates = estimates(chain, everybody=everybody)
    return RealChain(path.name, trade_date(chain.snapshot_time), rates, table, {})


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
def test_real_curves_are_smoother_than_those_of_a_plain_robust_fit() -> None:
    rough = pl.concat([chain_roughness(real_chain(path.name)) for path in CHAIN_FILES[::2]])
    off = {
        name: rough.filter(pl.col("estimator") == name)["off"].abs().to_numpy()
        for name in (OURS, ROBUST)
    }
    for share in (0.5, 0.75, 0.9):
        assert np.quantile(off[OURS], share) < np.quantile(off[ROBUST], share)
