"""Every part of the page on every real chain and root, with every control at its extremes.

Of each root a few expiries are taken, the soonest among them; all strikes stay. Each control is
varied alone, some of them in turn. ``test_made_up_chains`` does the same without real chains.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from live_box_spreads.books.desk import Desk
from live_box_spreads.feeds.importers import read_cboe, read_chain_csv
from live_box_spreads.model.chain import Chain, Timeliness
from tests.dashboard.page_matrix import check_controls, check_odd, odd_chains, thinned
from tests.real_data import CHAIN_FILES, DATA, NO_DATA

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView

CSVS = sorted((DATA / "chains_more").glob("*.csv.gz"))
INTRADAY = sorted((DATA / "chains_intraday").glob("*.parquet"))

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA),
]


def _intraday(path: Path) -> Chain:
    """Return the newest moment of a file of moments; it is of one root and tells no volume."""
    moments = pl.read_parquet(path)
    newest = moments.filter(pl.col("quote_ts_et") == pl.col("quote_ts_et").max())
    instant = newest["quote_ts_et"].dt.replace_time_zone("America/New_York")[0]
    rows = newest.with_columns(
        pl.lit("SPXW").alias("root"), pl.lit("SPX").alias("underlying"), settlement=pl.lit("PM")
    ).select("root", "underlying", "expiry", "settlement", "strike", "right", "bid", "ask")
    return Chain.build(
        rows,
        snapshot_time=instant,
        feed="file",
        timeliness=Timeliness.DELAYED,
        spot={"SPX": newest["spot"][0]},
    )


def _read(path: Path) -> Chain:
    if path in INTRADAY:
        return _intraday(path)
    return read_chain_csv(path) if path in CSVS else read_cboe(path)


@pytest.mark.parametrize(
    ("turn", "path"),
    list(enumerate([*CHAIN_FILES, *CSVS, *INTRADAY])),
    ids=lambda value: value.name.split(".")[0] if isinstance(value, Path) else "",
)
def test_every_part_shows_a_picture_or_words(view: MarketView, turn: int, path: Path) -> None:
    chain = thinned(_read(path))
    assert Desk(chain).loan_roots
    said = list(check_controls(view, chain, turn))
    assert any("No box" in message for message in said)
    assert all(message.strip() for message in said)


@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_a_real_chain_that_lacks_something(view: MarketView, root: str) -> None:
    chain = thinned(_read(CHAIN_FILES[-2]))
    list(check_odd(view, odd_chains(chain, root), root))
