"""Every part of the page on made-up markets: the simulator's, and small ones by hypothesis."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import count
from math import nan
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.accuracy.simulated import chain_of
from live_box_spreads.books.desk import Desk
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.dashboard.parts import PARTS
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.service.snapshots import Market
from live_box_spreads.settings import load_settings
from live_box_spreads.simulator.market.market import Market as SimulatedMarket
from tests.dashboard.page_check import check
from tests.dashboard.page_matrix import check_controls, check_odd, odd_chains, thinned

NOW = datetime(2026, 3, 20, 18, 0, tzinfo=UTC)
"""A third Friday, two hours before the close: options expire today, AM and PM."""


@cache
def simulated() -> Chain:
    """Return the market of the demo, all roots, with a volume that goes by strike."""
    market = SimulatedMarket(NOW, seed=1)
    chain, listed = chain_of(market), len(market.listing)
    levels = market.book.last[listed:].tolist()
    volume = (pl.col("strike") % 7).floor().cast(pl.Int64)
    return replace(
        chain,
        quotes=chain.quotes.with_columns(volume=volume),
        spot=dict(zip(market.listing.underlyings, levels, strict=True)),
    )


def test_every_part_shows_a_picture_or_words(view: MarketView) -> None:
    chain = thinned(simulated())
    assert len(chain.roots) == 5
    assert all(spot > 0 for spot in chain.spot.values())
    assert any(chain.expiries(root)[0] == NOW.date() for root in chain.roots)
    said = list(check_controls(view, chain, 0))
    assert any("No box passes the filters" in message for message in said)


@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_a_market_that_lacks_something(view: MarketView, root: str) -> None:
    said = list(check_odd(view, odd_chains(thinned(simulated()), root), root))
    assert any("has passed" in message for message in said)
    assert any("fewer than two strikes" in message for message in said)
    assert any("needs two expiries" in message for message in said)


PRICES = st.one_of(st.sampled_from([0.0, nan, 0.05, 500.0]), st.floats(0.0, 2000.0))
CONTRACTS = st.fixed_dictionaries(
    {
        "root": st.sampled_from(["SPX", "SPXW"]),
        "expiry": st.sampled_from([date(2026, 3, day) for day in (19, 20, 23, 27)]),
        "strike": st.sampled_from([4900.0, 5000.0, 5100.0, 5105.0, 9000.0]),
        "right": st.sampled_from(["C", "P"]),
        "bid": PRICES,
        "ask": PRICES,
        "volume": st.one_of(st.none(), st.integers(0, 3)),
    }
)
NUMBERS = count(2)
"""A view remembers a snapshot by its name."""
VIEW = MarketView(load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": "/nowhere/at/all"}))


@given(
    contracts=st.lists(CONTRACTS, min_size=1, max_size=40),
    spot=st.sampled_from([None, 0.0, 5000.0, 1e-3, 1e9]),
    volume=st.integers(0, 4),
    price=st.sampled_from(["mid", "bid", "ask"]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_small_chain_is_shown_or_explained(
    contracts: list[dict[str, Any]], spot: float | None, volume: int, price: Any
) -> None:
    rows = [{**row, "underlying": "SPX", "settlement": _settles(row["root"])} for row in contracts]
    chain = Chain.build(
        pl.DataFrame(rows, schema_overrides={"volume": pl.Int64}),
        snapshot_time=NOW,
        feed="test",
        timeliness=Timeliness.REPLAY,
    )
    chain = replace(chain, spot={} if spot is None else {"SPX": spot})
    number = next(NUMBERS)
    desk = Desk(chain, VIEW.settings.conventions())
    market = Market(Path(f"snapshot_20260320_180000_{number}.parquet"), desk, str(number))
    for root in chain.roots:
        expiry = chain.expiries(root)[0]
        options = BoxOptions(min_leg_volume=volume)
        choices = Choices(root, expiry=expiry, options=options, price=price)
        for part in PARTS:
            check(part, VIEW, market, choices)


def _settles(root: str) -> str:
    return "AM" if root == "SPX" else "PM"
