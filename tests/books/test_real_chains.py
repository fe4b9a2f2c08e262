"""The box table on every real chain, against single boxes and against published rates."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.boxspread import BoxSpread
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding
from tests.books.by_desk import box_table, term_structure
from tests.real_data import CHAIN_FILES, DATA, NO_DATA

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

ALL_LEGS = QualityRules(exclude=LegFlag.OK)
EXPIRIES_A_CHAIN = 3
STRIKES_AN_EXPIRY = 24

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA),
]


def some_expiries(chain: Chain) -> list[tuple[str, date]]:
    """Return a few live (root, expiry) pairs from the first to the last."""
    live = [key for key in chain.keys() if key[1] > chain.snapshot_time.date()]  # noqa: SIM118 # a method of its own
    return [live[i] for i in np.linspace(0, len(live) - 1, EXPIRIES_A_CHAIN).astype(int)]


def thinned(chain: Chain, root: str, expiry: date) -> Chain:
    """Return the chain with a few strikes of one expiry, evenly picked."""
    quotes = chain.quotes.filter(pl.col("root") == root, pl.col("expiry") == expiry)
    strikes = quotes["strike"].unique().sort()
    picked = strikes.gather(np.linspace(0, len(strikes) - 1, STRIKES_AN_EXPIRY).astype(int))
    return replace(chain, quotes=quotes.filter(pl.col("strike").is_in(picked.to_list())))


@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_agrees_with_single_boxes(path: Path) -> None:
    whole = read_cboe(path)
    rated = 0
    for root, expiry in some_expiries(whole):
        chain = thinned(whole, root, expiry)
        frame = box_table(chain, root, expiry, rules=ALL_LEGS).frame
        twins = [
            box
            for box in BoxSpread.all_from_chain(chain, root, expiry)
            if not (isnan(box.bid_cost) and isnan(box.ask_cost))
        ]
        assert frame.select("kl", "ks").rows() == [(box.kl, box.ks) for box in twins]
        for name in ("bid_cost", "mid_cost", "ask_cost"):
            wanted = [getattr(box, name) for box in twins]
            np.testing.assert_allclose(frame[name], wanted, rtol=0, atol=1e-9)
        for name in ("bid_rate", "mid_rate", "ask_rate"):
            wanted = [getattr(box, name) for box in twins]
            np.testing.assert_allclose(frame[name], wanted, rtol=1e-9, atol=1e-10)
            rated += int(np.sum(np.isfinite(wanted)))
    assert rated > 300


@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_every_pair_of_strikes_is_accounted_for(path: Path) -> None:
    chain = read_cboe(path)
    thresholds = BoxFilters(min_strike_gap=50.0, max_strike_gap=2000.0, max_abs_rate=0.3)
    tables = [
        box_table(chain, root, expiry, filters=thresholds) for root, expiry in some_expiries(chain)
    ]
    for table in tables:
        strikes = chain.quotes.filter(
            pl.col("root") == table.root, pl.col("expiry") == table.expiry
        )["strike"].n_unique()
        counted = len(table.frame) + sum(table.removed.values())
        assert counted == strikes * (strikes - 1) // 2


def test_near_the_box_rates_published_for_2011_01_24() -> None:
    # Continuous; van Binsbergen, Diamond and Grotteria fit the whole day, we one moment of it.
    [path] = [path for path in CHAIN_FILES if "20110124" in path.name]
    rates = pl.read_csv(DATA / "box_rates" / "box_and_government_rates_daily_2004_2018.csv")
    [published] = rates.filter(pl.col("date") == "2011-01-24").to_dicts()
    chain = read_cboe(path)
    tables = [
        box_table(
            chain,
            "SPX",
            expiry,
            compounding=Compounding.CONTINUOUS,
            filters=BoxFilters(min_strike_gap=200.0),
        )
        for expiry in chain.expiries("SPX")
    ]
    curve = term_structure(tables, centre=1.0, band=0.15, price="mid").filter(pl.col("boxes") > 0)
    for months in (6, 12, 18):
        found = np.interp(months / 12, curve["tte_years"], curve["rate"])
        assert found * 100 == pytest.approx(published[f"box_{months}m"], abs=0.05)
