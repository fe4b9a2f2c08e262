"""The real chains of the data folder, and what is made of them: halves, gaps, the panel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.strikes.blocks import Strikes
from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.sessions import NEW_YORK
from live_box_spreads.model.settlement import trade_date

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOWN_ONLY = ("spx_20110124", "ndx_20240322", "xsp_20230914")
"""Files that took no part in choosing the model; it was chosen on all others."""
PANEL = "spxw_two_weeks_20260716_20260731.parquet"
PANEL_ROOT = "SPXW"
_FRIDAY = 4
_THIRD_WEEK = range(15, 22)


class ChainFile(NamedTuple):
    """One file of quotes.

    Attributes:
        name: of the file, without what says its format.
        day: trade date of the quotes.
        chain: the quotes.
    """

    name: str
    day: date
    chain: Chain

    @property
    def loan_roots(self) -> list[str]:
        """The roots on which a box is a loan."""
        return [root for root in self.chain.roots if is_loan(root)]

    @property
    def chosen_on(self) -> bool:
        """Whether the model was chosen by looking at it."""
        return not self.name.startswith(SHOWN_ONLY)


def chain_paths(data: Path) -> list[Path]:
    """Return the files of quotes of a data folder, by name of folder and file."""
    return [
        path for part in ("chains", "chains_more") for path in sorted((data / part).glob("*.gz"))
    ]


def read_chain_files(data: Path, told: Callable[[str], None] = lambda _: None) -> list[ChainFile]:
    """Read every chain of a data folder, in the order of their names."""
    found = []
    for path in chain_paths(data):
        chain = read_cboe(path) if path.parent.name == "chains" else read_chain_csv(path)
        name = path.name.split(".")[0].split("_cboe")[0]
        found.append(ChainFile(name, trade_date(chain.snapshot_time), chain))
        told(name)
    return sorted(found, key=lambda file: file.name)


def with_quotes(chain: Chain, quotes: pl.DataFrame) -> Chain:
    """Return a chain of the same instant with other quotes."""
    return Chain.build(
        quotes,
        snapshot_time=chain.snapshot_time,
        feed=chain.feed,
        timeliness=chain.timeliness,
        spot=chain.spot,
        notes=chain.notes,
    )


def without_expiry(chain: Chain, root: str, expiry: date) -> Chain:
    """Return a chain without one expiry of a root."""
    gone = (pl.col("root") == root) & (pl.col("expiry") == expiry)
    return with_quotes(chain, chain.quotes.filter(~gone))


def half_chains(chain: Chain, root: str) -> tuple[Chain, Chain]:
    """Return the strikes of a root below its forwards, and those above, as two chains.

    An expiry whose line has no forward takes that of its neighbours, interpolated in days. Both
    halves are empty of rows where no expiry has one.
    """
    forwards = _forwards(chain, root)
    own = chain.quotes.filter(pl.col("root") == root).join(forwards, on="expiry", how="left")
    below = own.filter(pl.col("strike") < pl.col("forward")).drop("forward")
    above = own.filter(pl.col("strike") > pl.col("forward")).drop("forward")
    return with_quotes(chain, below), with_quotes(chain, above)


def _forwards(chain: Chain, root: str) -> pl.DataFrame:
    """Return ``expiry, forward`` of each expiry of a root, NaN where none has one."""
    fits = parity_fits(Strikes.of(chain, QualityRules(), root).blocks)
    expiries = [expiry for _, expiry in fits.keys]
    days = np.array([expiry.toordinal() for expiry in expiries], dtype=np.float64)
    known = np.isfinite(fits.forward)
    filled = (
        np.interp(days, days[known], fits.forward[known])
        if known.any()
        else np.full(days.size, np.nan)
    )
    # A comparison with NaN is true in polars; null leaves the strike out of both halves.
    forward = pl.Series(np.where(known, fits.forward, filled)).fill_nan(None)
    return pl.DataFrame({"expiry": pl.Series(expiries, dtype=pl.Date), "forward": forward})


def is_third_friday(day: date) -> bool:
    """Return whether monthly options expire on a day."""
    return day.weekday() == _FRIDAY and day.day in _THIRD_WEEK


def panel_moments(data: Path) -> list[Chain]:
    """Return the intraday panel, a chain a moment, earliest first.

    On a third Friday a morning and an afternoon contract stand under one key there, so that day is
    left out.
    """
    rows = pl.read_parquet(data / "chains_intraday" / PANEL)
    mixed = [day for day in rows["expiry"].unique() if is_third_friday(day)]
    kept = rows.filter(~pl.col("expiry").is_in(mixed))
    return [
        _moment(moment, quotes)
        for (moment,), quotes in sorted(
            kept.partition_by("quote_ts_et", as_dict=True).items(), key=lambda part: part[0]
        )
    ]


def _moment(wall: datetime, quotes: pl.DataFrame) -> Chain:
    instant = wall.replace(tzinfo=NEW_YORK).astimezone(UTC)
    spot = float(quotes["spot"].drop_nans().median() or np.nan)  # type: ignore[arg-type] # a number
    return Chain.build(
        quotes.select(
            pl.lit(PANEL_ROOT).alias("root"),
            pl.lit("SPX").alias("underlying"),
            "expiry",
            pl.lit("PM").alias("settlement"),
            *("strike", "right", "bid", "ask"),
        ),
        snapshot_time=instant,
        feed="intraday-panel",
        timeliness=Timeliness.DELAYED,
        spot={"SPX": spot},
    )
