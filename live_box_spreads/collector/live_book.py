"""The latest quote of every contract, in columns; updates come in, consistent chains go out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.feeds.base import CONTRACT_COLUMNS
from live_box_spreads.model.chain import TIME_TYPE, Chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Activity, Contracts, Quotes, Update
    from live_box_spreads.model.chain import Timeliness

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LiveBook:
    """What is known of a fixed list of contracts; later updates overwrite earlier ones.

    Memory is one row a contract, however many updates come.

    A stream says nothing of a quote that has not changed, and a wing option may stand for hours.
    So the time of a quote is when it was last known to stand: when anything of its root was
    last heard. A root that goes silent grows old as a whole; after the link went down, prices
    and times stay as they were until each contract is quoted again, and quality rules see by
    their age that they are stale.
    """

    def __init__(self, contracts: Contracts) -> None:
        """Start with nothing known about these contracts."""
        self.contracts = contracts
        self.spot: dict[str, float] = {}
        self.subscribed: int | None = None
        self.link_down_since: datetime | None = None
        count = len(contracts)
        self._quote_columns = {
            name: np.full(count, np.nan) for name in ("bid", "ask", "bid_size", "ask_size")
        }
        self._activity_columns = {
            name: np.full(count, np.nan) for name in ("last", "volume", "open_interest")
        }
        self._quote_time: NDArray[np.datetime64] = np.full(count, "NaT", dtype="datetime64[ms]")
        roots = contracts.table["root"]
        self._root_of_row = (roots.rank("dense") - 1).to_numpy().astype(np.intp)
        self._root_heard = np.full(roots.n_unique(), "NaT", dtype="datetime64[ms]")
        self._quoted_since_link_up = np.zeros(count, np.bool_)

    def __len__(self) -> int:
        """Return the number of contracts."""
        return len(self.contracts)

    @property
    def quoted(self) -> int:
        """Number of contracts that a quote has come for, be it an empty one."""
        return len(self) - int(np.isnat(self._quote_time).sum())

    @property
    def active(self) -> int:
        """Number of contracts whose volume is known."""
        return len(self) - int(np.isnan(self._activity_columns["volume"]).sum())

    def never_quoted(self) -> pl.DataFrame:
        """Return the rows of the contract table that no quote has come for."""
        return self.contracts.table.filter(pl.Series(np.isnat(self._quote_time)))

    def apply(self, update: Update) -> None:
        """Take one update in; of repeated rows the last one wins."""
        if update.quotes is not None:
            self._apply_quotes(update.quotes, update.received_at)
            self.link_down_since = None
        if update.activity is not None:
            self._apply_activity(update.activity)
        self.spot.update(update.spot)
        if update.subscribed is not None:
            self.subscribed = update.subscribed
        if update.link_down and self.link_down_since is None:
            self.link_down_since = update.received_at
            self._quote_time = self._known_to_stand()
            self._quoted_since_link_up[:] = False

    def snapshot(self, now: datetime, feed: str, timeliness: Timeliness) -> Chain:
        """Return a copy of the book as a chain that later updates do not touch.

        Args:
            now: the instant that the chain stands for, with a time zone.
            feed: name of the feed.
            timeliness: how old its quotes are by nature.
        """
        rows = self.contracts.table.select(CONTRACT_COLUMNS).with_columns(
            *(pl.Series(name, column) for name, column in self._quote_columns.items()),
            *(pl.Series(name, column) for name, column in self._activity_columns.items()),
            pl.Series("quote_time", self._known_to_stand()).cast(pl.Datetime("ms")),
        )
        rows = rows.with_columns(
            pl.col("volume", "open_interest").fill_nan(None).cast(pl.Int64),
            pl.col("quote_time").dt.replace_time_zone("UTC").cast(TIME_TYPE),
        )
        return Chain.build(
            rows, snapshot_time=now, feed=feed, timeliness=timeliness, spot=self.spot
        )

    def _apply_quotes(self, quotes: Quotes, received_at: datetime) -> None:
        """Overwrite both sides; a size without its price means nothing and is cleared with it."""
        # numpy assigns repeated indices in order, so that the last one wins.
        column = self._quote_columns
        column["bid"][quotes.rows] = quotes.bid
        column["ask"][quotes.rows] = quotes.ask
        column["bid_size"][quotes.rows] = np.where(np.isnan(quotes.bid), np.nan, quotes.bid_size)
        column["ask_size"][quotes.rows] = np.where(np.isnan(quotes.ask), np.nan, quotes.ask_size)
        at = _milliseconds(received_at)
        self._quote_time[quotes.rows] = at
        self._root_heard[self._root_of_row[quotes.rows]] = at
        self._quoted_since_link_up[quotes.rows] = True

    def _known_to_stand(self) -> NDArray[np.datetime64]:
        """Return when each quote was last known to stand, shape (contracts,); NaT without one."""
        heard = self._root_heard[self._root_of_row]
        return np.where(self._quoted_since_link_up, heard, self._quote_time)

    def _apply_activity(self, activity: Activity) -> None:
        for name, values in (
            ("last", activity.last),
            ("volume", activity.volume),
            ("open_interest", activity.open_interest),
        ):
            known = ~np.isnan(values)
            self._activity_columns[name][activity.rows[known]] = values[known]


def _milliseconds(instant: datetime) -> np.datetime64:
    return np.datetime64((instant - _EPOCH) // timedelta(milliseconds=1), "ms")
