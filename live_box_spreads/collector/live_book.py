"""The latest quote of every contract, in columns; updates come in, consistent chains go out."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

from live_box_spreads.collector.health import RootHealth
from live_box_spreads.feeds.base import CONTRACT_COLUMNS, MOST_CONNECTIONS, Quotes
from live_box_spreads.model.chain import TIME_TYPE, Chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Activity, Contracts, StreamProgress, Update
    from live_box_spreads.model.chain import Timeliness

    Floats = NDArray[np.float64]
    Times = NDArray[np.datetime64]

Copy = TypeVar("Copy")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRICES = ("bid", "ask", "bid_size", "ask_size")
_SLOW = ("last", "volume", "open_interest")
_BID, _ASK, _BID_SIZE, _ASK_SIZE = range(len(_PRICES))
_COPY_ATTEMPTS = 5
"""So often a reader tries to copy between two updates before it asks the writer to wait."""


@dataclass(frozen=True, slots=True)
class _State:
    """All that changes with an update, as a copy or as the original.

    Attributes:
        numbers: (7, contracts) prices and sizes, then slow fields; NaN unknown.
        quote_time: (contracts,) when a quote last came; NaT without one.
        updated: (connections, roots) when a connection last brought an update of a root.
        connection: (contracts,) which connection quotes them.
        streaming: (contracts,) whether the quote came by a stream that is still connected.
        polled: (contracts,) whether the quote was asked for one by one.
        spot: price by underlying.
    """

    numbers: Floats
    quote_time: Times
    updated: Times
    connection: NDArray[np.int8]
    streaming: NDArray[np.bool_]
    polled: NDArray[np.bool_]
    spot: dict[str, float]

    def copy(self) -> _State:
        return _State(
            self.numbers.copy(),
            self.quote_time.copy(),
            self.updated.copy(),
            self.connection.copy(),
            self.streaming.copy(),
            self.polled.copy(),
            self.spot.copy(),
        )


class LiveBook:
    """What is known of a fixed list of contracts; later updates overwrite earlier ones.

    Memory is one row a contract, however many updates come.

    A stream sends nothing for a quote that has not changed, and a wing option may not change for
    hours. So the time of a streamed quote is the last instant at which it was known to hold: when
    its connection last brought any update of its root. A root that goes silent grows old as a
    whole; contracts whose stream was lost keep their prices and times until each is quoted again,
    and quality rules see by their age that they are stale. A quote that was polled has its own time
    and holds no longer; one that is older than what is held changes nothing. No time is ever in the
    future: when the clock of this machine is set back, all times go back with it.

    One thread applies updates. Any thread may read: ``snapshot``, ``quotes``, ``health`` and
    ``ages_secs`` see the book between two updates, never in the middle of one, and the writer goes
    on meanwhile. A reader copies the book and starts over if an update came in between; only after
    several such attempts does it hold the writer up, for the time of one copy.

    Attributes:
        contracts: what the rows are.
        progress: how far the stream is with subscribing; None if it did not say.
        lost_since: since when quotes are missing that the stream once brought; None if none are.
        lost_reason: why, in the words of the feed; empty if none are.
    """

    def __init__(self, contracts: Contracts) -> None:
        """Start with nothing known about these contracts."""
        self.contracts = contracts
        self.progress: StreamProgress | None = None
        self.lost_since: datetime | None = None
        self.lost_reason = ""
        count = len(contracts)
        roots = contracts.table["root"]
        self._roots = roots.unique().sort().to_list()
        self._root_of_row = (roots.rank("dense") - 1).to_numpy().astype(np.intp)
        self._state = _State(
            numbers=np.full((len(_PRICES) + len(_SLOW), count), np.nan),
            quote_time=np.full(count, "NaT", dtype="datetime64[ms]"),
            updated=np.full((MOST_CONNECTIONS, len(self._roots)), "NaT", dtype="datetime64[ms]"),
            connection=np.zeros(count, np.int8),
            streaming=np.zeros(count, np.bool_),
            polled=np.zeros(count, np.bool_),
            spot={},
        )
        self._lost = np.zeros(count, np.bool_)
        self._was_streamed = np.zeros(len(self._roots), np.bool_)
        self._asked_at: datetime | None = None
        self._newest: np.datetime64 | None = None
        self._version = 0  # odd while an update is being applied
        self._writing = threading.Lock()

    def __len__(self) -> int:
        """Return the number of contracts."""
        return len(self.contracts)

    @property
    def spot(self) -> Mapping[str, float]:
        """Price by underlying, index points."""
        return self._state.spot

    @property
    def quoted(self) -> int:
        """Number of contracts that a quote has come for, be it an empty one."""
        return len(self) - int(np.isnat(self._state.quote_time).sum())

    @property
    def active(self) -> int:
        """Number of contracts whose volume is known."""
        volume = self._state.numbers[len(_PRICES) + _SLOW.index("volume")]
        return len(self) - int(np.isnan(volume).sum())

    @property
    def polled(self) -> int:
        """Number of contracts whose quote was asked for one by one."""
        return int(self._state.polled.sum())

    def never_quoted(self) -> pl.DataFrame:
        """Return the rows of the contract table that no quote has come for."""
        return self.contracts.table.filter(pl.Series(np.isnat(self._state.quote_time)))

    def apply(self, update: Update) -> None:
        """Take one update in; of repeated rows the last one wins."""
        with self._writing:
            self._version += 1
            try:
                self._apply(update)
            finally:
                self._version += 1

    def quotes(self) -> Floats:
        """Return a copy of the quotes: (4, contracts) bid, ask and their sizes; NaN unknown."""
        return self._consistent(lambda state: state.numbers[: len(_PRICES)].copy())

    def ages_secs(self, now: datetime) -> Floats:
        """Return how long ago each quote was last known to hold.

        Args:
            now: an instant with a time zone.

        Returns:
            (contracts,) seconds; NaN for a contract that was never quoted.
        """
        return self._ages_secs(self._consistent(_State.copy), now)

    def health(self, now: datetime) -> dict[str, RootHealth]:
        """Return how well each root is quoted.

        Args:
            now: an instant with a time zone.
        """
        state = self._consistent(_State.copy)
        ages_secs = self._ages_secs(state, now)
        two_sided = ~np.isnan(state.numbers[_BID] + state.numbers[_ASK])
        found = {}
        for number, root in enumerate(self._roots):
            mine = self._root_of_row == number
            ages = ages_secs[mine & ~np.isnat(state.quote_time)]
            updated = np.fmax.reduce(state.updated[:, number])
            found[root] = RootHealth(
                contracts=int(mine.sum()),
                quoted=len(ages),
                two_sided=int(two_sided[mine].sum()),
                streaming=int(state.streaming[mine].sum()),
                polled=int(state.polled[mine].sum()),
                updated_at=None if np.isnat(updated) else updated.item().replace(tzinfo=UTC),
                oldest_secs=float(ages.max()) if len(ages) else float("nan"),
                awaited_since=None if self._was_streamed[number] else self._asked_at,
            )
        return found

    def snapshot(self, now: datetime, feed: str, timeliness: Timeliness) -> Chain:
        """Return a copy of the book as a chain that later updates do not touch.

        Args:
            now: the instant of the chain, with a time zone.
            feed: name of the feed.
            timeliness: how old its quotes are by nature.
        """
        state = self._consistent(_State.copy)
        columns = zip((*_PRICES, *_SLOW), state.numbers, strict=True)
        rows = self.contracts.table.select(CONTRACT_COLUMNS).with_columns(
            *(pl.Series(name, column) for name, column in columns),
            pl.Series("quote_time", self._times(state, now)).cast(pl.Datetime("ms")),
        )
        rows = rows.with_columns(
            pl.col("volume", "open_interest").fill_nan(None).cast(pl.Int64),
            pl.col("quote_time").dt.replace_time_zone("UTC").cast(TIME_TYPE),
        )
        return Chain.build(
            rows,
            snapshot_time=now,
            feed=feed,
            timeliness=timeliness,
            spot=state.spot,
            notes=self._notes(state),
        )

    def _notes(self, state: _State) -> dict[str, str]:
        """Return what the rows of a snapshot do not show."""
        notes = {}
        if self.lost_since is not None:
            notes["stream_lost_since"] = self.lost_since.isoformat(timespec="seconds")
        if polled := int(state.polled.sum()):
            notes["polled_quotes"] = str(polled)
        return notes

    def _apply(self, update: Update) -> None:
        self._go_back_with_the_clock(update.received_at)
        if update.progress is not None:
            self.progress = update.progress
        if self._asked_at is None and self._all_asked():
            self._asked_at = update.received_at
        if update.doubted is not None:
            self._state.streaming[update.doubted] = False
        if update.quotes is not None:
            self._apply_quotes(update.quotes, update.received_at, update.connection)
            if update.lost is None and not update.quotes.stop_gap:
                self._was_streamed[self._root_of_row[update.quotes.rows]] = True
        if update.activity is not None:
            self._apply_activity(update.activity)
        self._state.spot.update(update.spot)
        if update.lost is not None:
            self._mark_lost(update.lost, update.received_at)
            self.lost_reason = update.reason

    def _go_back_with_the_clock(self, received_at: datetime) -> None:
        """Keep ages as they were when the clock was set back."""
        now = _milliseconds(received_at)
        if self._newest is not None and now < self._newest:
            step = now - self._newest
            self._state.quote_time[:] += step
            self._state.updated[:] += step
            if self._asked_at is not None:
                self._asked_at += timedelta(milliseconds=int(step / np.timedelta64(1, "ms")))
        self._newest = now

    def _all_asked(self) -> bool:
        return self.progress is None or self.progress.quotes >= self.progress.quotes_wanted

    def _apply_quotes(self, quotes: Quotes, received_at: datetime, connection: int) -> None:
        """Overwrite both sides; a size without its price means nothing and is cleared with it."""
        # numpy assigns repeated indices in order, so that the last one wins.
        if quotes.stop_gap and quotes.times is not None:
            quotes = self._not_older(quotes, quotes.times)
        state, rows = self._state, quotes.rows
        state.numbers[_BID][rows] = quotes.bid
        state.numbers[_ASK][rows] = quotes.ask
        state.numbers[_BID_SIZE][rows] = np.where(np.isnan(quotes.bid), np.nan, quotes.bid_size)
        state.numbers[_ASK_SIZE][rows] = np.where(np.isnan(quotes.ask), np.nan, quotes.ask_size)
        state.streaming[rows] = quotes.times is None
        state.polled[rows] = quotes.stop_gap
        if quotes.times is not None:
            state.quote_time[rows] = quotes.times
            return
        at = _milliseconds(received_at)
        state.quote_time[rows] = at
        state.connection[rows] = connection
        state.updated[connection, self._root_of_row[rows]] = at
        self._clear_lost(rows)

    def _not_older(self, quotes: Quotes, times: Times) -> Quotes:
        """Leave out polled quotes that are older than what is held."""
        held = self._confirmed_at(self._state)[quotes.rows]
        keep = np.isnat(held) | (times >= held)
        if keep.all():
            return quotes
        return Quotes(
            quotes.rows[keep],
            quotes.bid[keep],
            quotes.ask[keep],
            quotes.bid_size[keep],
            quotes.ask_size[keep],
            times[keep],
            stop_gap=True,
        )

    def _apply_activity(self, activity: Activity) -> None:
        values = (activity.last, activity.volume, activity.open_interest)
        for column, new in zip(self._state.numbers[len(_PRICES) :], values, strict=True):
            known = ~np.isnan(new)
            column[activity.rows[known]] = new[known]

    def _mark_lost(self, rows: NDArray[np.int32], at: datetime) -> None:
        """Let quotes grow old from when they were last known to hold."""
        state = self._state
        state.quote_time[rows] = self._confirmed_at(state)[rows]
        state.streaming[rows] = False
        self._lost[rows] = True
        if self.lost_since is None and len(rows):
            self.lost_since = at

    def _clear_lost(self, rows: NDArray[np.int32]) -> None:
        """Note that lost contracts are quoted again, and so that the stream is back."""
        if self.lost_since is not None and self._lost[rows].any():
            self._lost[rows] = False
            standing = self.progress is None or (
                self.progress.connections >= self.progress.connections_wanted
            )
            if standing:
                self.lost_since, self.lost_reason = None, ""

    def _confirmed_at(self, state: _State) -> Times:
        """Return when each quote was last known to hold, shape (contracts,); NaT without one."""
        updated = state.updated[state.connection, self._root_of_row]
        return np.where(state.streaming, updated, state.quote_time)

    def _times(self, state: _State, now: datetime) -> Times:
        """Return the same for readers: never in the future, even while a clock is being set."""
        return np.minimum(self._confirmed_at(state), _milliseconds(now))

    def _ages_secs(self, state: _State, now: datetime) -> Floats:
        age = _milliseconds(now) - self._times(state, now)
        return np.where(np.isnat(age), np.nan, age.astype(np.float64) / 1e3)

    def _consistent(self, copied: Callable[[_State], Copy]) -> Copy:
        """Return a copy of the state, or of a part, as it is between two updates."""
        for _ in range(_COPY_ATTEMPTS):
            before = self._version
            copy = copied(self._state)
            if before % 2 == 0 and self._version == before:
                return copy
        with self._writing:
            return copied(self._state)


def _milliseconds(instant: datetime) -> np.datetime64:
    return np.datetime64((instant - _EPOCH) // timedelta(milliseconds=1), "ms")
