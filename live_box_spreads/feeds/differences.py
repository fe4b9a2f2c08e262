"""Successive quotes of a fixed list of contracts, as updates of what has changed.

For feeds that are given whole chains, such as recordings and polled pages, and stream them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.feeds.base import CONTRACT_COLUMNS, Activity, Quotes, Update
from live_box_spreads.model.chain import CHAIN_SCHEMA, KEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Contracts

_QUOTES = ("bid", "ask", "bid_size", "ask_size")
_ACTIVITY = ("last", "volume", "open_interest")


def quotes_of_contracts(contracts: Contracts, quotes: pl.DataFrame) -> pl.DataFrame:
    """Give each contract its quote, in the order of the contracts.

    Args:
        contracts: what is wanted.
        quotes: columns of ``CHAIN_SCHEMA``, no contract twice.

    Returns:
        Columns of ``CHAIN_SCHEMA``; a contract without a quote has null everywhere but in the
        columns that name the contract.
    """
    values = quotes.select(*KEY, *(name for name in CHAIN_SCHEMA if name not in CONTRACT_COLUMNS))
    wanted = contracts.table.select(CONTRACT_COLUMNS)
    joined = wanted.join(values, on=KEY, how="left", maintain_order="left")
    return joined.select(CHAIN_SCHEMA.names())


class Differences:
    """Remembers the last values of each contract, so that an update holds only changes."""

    def __init__(self, contracts: Contracts) -> None:
        """Start without any values."""
        self._contracts = contracts
        self._underlying = contracts.table["underlying"].to_numpy()
        self._known = np.zeros(len(contracts), np.bool_)
        self._values = {name: np.full(len(contracts), np.nan) for name in _QUOTES + _ACTIVITY}
        self._times: NDArray[np.datetime64] = np.full(len(contracts), "NaT", dtype="datetime64[ms]")

    def update(
        self,
        quotes: pl.DataFrame,
        received_at: datetime,
        spot: Mapping[str, float],
        *,
        underlying: str | None = None,
    ) -> Update:
        """Return what is new in these quotes; the first ones tell every contract.

        Args:
            quotes: columns of ``CHAIN_SCHEMA``; a contract that is not there has no quotes.
            received_at: as in ``Update``.
            spot: as in ``Update``.
            underlying: the only one that these quotes are about; None for all.
        """
        known = self._known.copy()
        about = (
            np.ones(len(known), np.bool_) if underlying is None else self._underlying == underlying
        )
        found = quotes_of_contracts(self._contracts, quotes)
        values = {
            name: found[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in self._values
        }
        times = found["quote_time"].dt.replace_time_zone(None).to_numpy()
        later = (times != self._times) & ~(np.isnat(times) & np.isnat(self._times))
        quoted = np.flatnonzero(about & (~known | later | self._changed(values, _QUOTES)))
        active = np.flatnonzero(about & (~known | self._changed(values, _ACTIVITY)))
        for name, column in values.items():
            self._values[name][about] = column[about]
        self._times[about] = times[about]
        self._known |= about
        return Update(
            received_at,
            quotes=_quotes(quoted, values, times) if quoted.size else None,
            activity=_activity(active, values) if active.size else None,
            spot=spot,
        )

    def _changed(
        self, values: Mapping[str, NDArray[np.float64]], names: tuple[str, ...]
    ) -> NDArray[np.bool_]:
        """Return which contracts differ from the last values in any column; NaN equals NaN."""
        changed = np.zeros(len(self._known), np.bool_)
        for name in names:
            old, new = self._values[name], values[name]
            changed |= (old != new) & ~(np.isnan(old) & np.isnan(new))
        return changed


def _quotes(
    rows: NDArray[np.intp],
    values: Mapping[str, NDArray[np.float64]],
    times: NDArray[np.datetime64],
) -> Quotes:
    bid, ask, bid_size, ask_size = (values[name][rows] for name in _QUOTES)
    return Quotes(rows.astype(np.int32), bid, ask, bid_size, ask_size, times[rows])


def _activity(rows: NDArray[np.intp], values: Mapping[str, NDArray[np.float64]]) -> Activity:
    return Activity(rows.astype(np.int32), **{name: values[name][rows] for name in _ACTIVITY})
