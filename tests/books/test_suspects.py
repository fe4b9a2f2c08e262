"""The leg that inverts a band is named: planted in tidy chains and in real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.suspects import suspect_leg
from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.quality import QualityRules
from tests.books.by_desk import band_table, synthetics
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

RULES = QualityRules()


def tidy_rows(strikes: int = 40) -> list[dict[str, Any]]:
    """Quote a forward of 6,000 at a discount of 0.955, half a point wide."""
    rows: list[dict[str, Any]] = []
    for strike in 4000.0 + 100.0 * np.arange(strikes):
        parity = 0.955 * (6000.0 - strike)
        put = 0.5 * (np.hypot(parity, 800.0) - parity)  # smooth, as time value is
        for right, fair in (("C", parity + put), ("P", put)):
            quote = {"bid": fair - 0.5, "ask": fair + 0.5, "bid_size": 5.0, "ask_size": 5.0}
            rows.append({"strike": strike, "right": right, **quote})
    return rows


def moved(chain: Chain, key: dict[str, Any], points: float) -> Chain:
    """Return the chain with one contract quoted higher by so many points."""
    here = pl.all_horizontal(
        *(pl.col(name).cast(pl.String) == str(value) for name, value in key.items())
    )
    columns = [
        pl.when(here).then(pl.col(side) + points).otherwise(side).alias(side)
        for side in ("bid", "ask")
    ]
    assert chain.quotes.filter(here).height == 1
    return replace(chain, quotes=chain.quotes.with_columns(columns))


@pytest.mark.parametrize("strike", [4000.0, 4100.0, 5900.0, 6000.0, 7900.0])
@pytest.mark.parametrize(
    ("right", "points", "side"),
    [("C", 25.0, "bid"), ("C", -25.0, "ask"), ("P", 25.0, "bid"), ("P", -25.0, "ask")],
)
def test_names_strike_right_and_side(  # fixtures and cases
    make_chain: Callable[..., Chain],
    expiry: date,
    strike: float,
    right: str,
    points: float,
    side: str,
) -> None:
    chain = moved(make_chain(tidy_rows()), {"strike": strike, "right": right}, points)
    suspect = suspect_leg(synthetics(chain, "SPX", expiry, RULES))
    assert suspect is not None
    assert (suspect.strike, suspect.right, suspect.side) == (strike, right, side)
    assert suspect.alone
    # 25 off, of which the spread of the synthetic forward hides one.
    assert suspect.excess == pytest.approx(24.0)
    quote = chain.quotes.filter(pl.col("strike") == strike, pl.col("right").cast(str) == right)
    assert suspect.price == quote[side].item()


def test_an_orderly_band_has_no_suspect(make_chain: Callable[..., Chain], expiry: date) -> None:
    assert suspect_leg(synthetics(make_chain(tidy_rows()), "SPX", expiry, RULES)) is None
    assert suspect_leg(synthetics(make_chain(tidy_rows(1)), "SPX", expiry, RULES)) is None


def test_of_two_bad_quotes_the_worse_is_named_and_the_other_owned_up_to(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    chain = moved(make_chain(tidy_rows()), {"strike": 4500.0, "right": "C"}, 60.0)
    chain = moved(chain, {"strike": 6500.0, "right": "P"}, 20.0)
    suspect = suspect_leg(synthetics(chain, "SPX", expiry, RULES))
    assert suspect is not None
    assert (suspect.strike, suspect.right, suspect.alone) == (4500.0, "C", False)
    assert str(suspect).endswith("59.00 beyond parity, and not the only one")


def test_the_window_and_size_of_the_band_are_those_of_the_suspect(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    chain = moved(make_chain(tidy_rows()), {"strike": 5000.0, "right": "C"}, 3.0)
    found = synthetics(chain, "SPX", expiry, RULES)
    assert suspect_leg(found) is not None
    assert suspect_leg(found, min_size=6.0) is None  # nothing has that size
    two_strikes = synthetics(make_chain(chain.quotes.to_dicts()[:4]), "SPX", expiry, RULES)
    assert suspect_leg(two_strikes) is None


def test_three_strikes_are_too_few_to_convict_but_one_is_named(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    chain = moved(make_chain(tidy_rows(3)), {"strike": 4100.0, "right": "C"}, 25.0)
    suspect = suspect_leg(synthetics(chain, "SPX", expiry, RULES))
    assert suspect is not None
    assert suspect.alone


def test_the_band_table_names_it_in_its_note(make_chain: Callable[..., Chain]) -> None:
    chain = moved(make_chain(tidy_rows()), {"strike": 5000.0, "right": "C"}, 25.0)
    [row] = band_table(chain).to_dicts()
    assert row["inverted"]
    assert row["note"] == ("inverted, likely by the call 5000 bid 1124.90, 24.00 beyond parity")


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_planted_in_real_chains(path: Path) -> None:
    chain = read_cboe(path)
    rng = np.random.default_rng(7)
    named = inverted = 0
    parts = [p for p in synthetics_by_expiry(chain, RULES) if p.forwards.strike.size > 20]
    for part in parts[:: max(len(parts) // 6, 1)]:
        width = part.forwards.syn_ask - part.forwards.syn_bid
        usable = np.flatnonzero(np.isfinite(width))
        for _ in range(3):
            if not usable.size:
                continue
            strike, right = rng.choice(usable), rng.choice(["C", "P"])
            half = 0.5 * np.nanmedian(width)
            points = float(rng.choice([-1, 1]) * (2.0 * width[strike] + 4.0 * half + 5.0))
            key = {
                "root": part.root,
                "expiry": part.expiry,
                "strike": part.forwards.strike[strike],
                "right": right,
            }
            leg = part.call if right == "C" else part.put
            if leg.bid[strike] + points <= 0.0:
                continue
            bad = synthetics(moved(chain, key, points), part.root, part.expiry, RULES)
            suspect = suspect_leg(bad, BoxFilters(min_strike_gap=10.0))
            if suspect is None:
                continue
            inverted += 1
            named += (suspect.strike, suspect.right) == (key["strike"], right)
    assert inverted >= 8
    assert named == inverted
