"""Surfaces for the screen: a rate, or traded volume, by strike cell and by row.

A row is an expiry, or a snapshot of one expiry: the caller gives the tables in the order wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from live_box_spreads.books.views.liquid import tightest_spread, weighted_median
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.settlement import TimeBasis, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]

Which = Literal["mid", "bid", "ask"]
RowLabel = Literal["expiry", "snapshot_time"]


@dataclass(frozen=True, slots=True)
class Surface:
    """Values by row (expiry or snapshot) and strike cell.

    Attributes:
        strikes: (m,) middle of each strike cell, index points.
        tte_years: (n,) years to payment of each row; NaN where nothing is left.
        labels: (n) ISO date of the expiry, or ISO instant of the snapshot.
        values: (n, m) rates as fractions, or contracts; NaN where the cell is empty.
        counts: (n, m) what each value stands on: boxes, or contracts with a known volume.
        unclear: cells that have boxes and were left empty, because quotes hardly tell the rate.
    """

    strikes: Floats
    tte_years: Floats
    labels: list[str]
    values: Floats
    counts: NDArray[np.int64]
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a surface; the fields as there."""

    values: Floats
    counts: NDArray[np.int64]
    unclear: int = 0


def strike_grid(spot: float, low: float, high: float, cells: int) -> Floats:
    """Return the (cells + 1,) edges of equal strike cells, index points.

    Args:
        spot: last price of the underlying, index points.
        low: lowest strike as a fraction of the spot.
        high: highest strike as a fraction of the spot.
        cells: number of cells.

    Raises:
        ModelError: the spot is not positive, the fractions are not in order, or there is no cell.
    """
    if not (spot > 0 and 0 <= low < high < np.inf and cells >= 1):
        raise ModelError(
            f"no strike grid of {cells} cells from {low} to {high} of spot {spot}; needs a "
            "positive spot, 0 <= low < high, and a cell"
        )
    return np.linspace(spot * low, spot * high, cells + 1)


def rate_surface(
    tables: Iterable[BoxTable],
    edges: Floats,
    which: Which,
    *,
    label: RowLabel = "expiry",
    clear_within: float = np.inf,
) -> Surface:
    """Lay one rate of boxes over their middle strikes; see ``rate_surfaces``."""
    return rate_surfaces(tables, edges, (which,), label=label, clear_within=clear_within)[which]


def rate_surfaces(
    tables: Iterable[BoxTable],
    edges: Floats,
    which: Sequence[Which],
    *,
    label: RowLabel = "expiry",
    clear_within: float = np.inf,
) -> dict[Which, Surface]:
    """Lay the rates of boxes over their middle strikes, a surface for each rate asked for.

    A cell holds many boxes, from very narrow to very wide. The spread of a box's rate is its
    quotes' half-spreads over its width and its time, so a narrow box has a wild mid rate: ``mid``
    is the median of the cell's boxes, each weighing ``1 / (bid_rate - ask_rate)**2``. ``bid`` is
    the lowest ``bid_rate`` (the cheapest loan to be had), ``ask`` the highest ``ask_rate`` (the
    best investment to be had).

    Args:
        tables: one a row, in order; gone through once, and no table is kept.
        edges: (m + 1,) ascending cell edges, index points; a cell has its lower edge, the last
            one both.
        which: the rates to show.
        label: what the rows are named after.
        clear_within: a cell whose rate is known this many times worse than that of the row's
            clearest cell is left empty: far from the money it would show the width of quotes and
            no rate. How well a rate is known goes with the spread of the cell's tight boxes over
            the square root of the number of strikes behind them, which is about ``sqrt(2 boxes)``.
    """
    years: list[float] = []
    labels: list[str] = []
    rows: dict[Which, list[_Row]] = {rate: [] for rate in which}
    for table in tables:
        years.append(table.tte_years)
        labels.append(getattr(table, label).isoformat())
        for rate in which:
            rows[rate].append(_rate_row(table.frame, edges, rate, clear_within))
    return {rate: _stacked(found, edges, years, labels) for rate, found in rows.items()}


def volume_surface(
    rows: Iterable[tuple[Chain, date]],
    root: str,
    edges: Floats,
    *,
    label: RowLabel = "expiry",
    basis: TimeBasis = TimeBasis.SETTLEMENT,
) -> Surface:
    """Sum the contracts traded today, calls and puts, by strike cell and row.

    Taken from the chain and not from boxes: a leg is in hundreds of boxes, but traded once.

    Args:
        rows: quotes at one instant, and an expiry, in order; one that the chain lacks is an empty
            row. Gone through once, and no chain is kept.
        root: option root.
        edges: (m + 1,) ascending cell edges, index points.
        label: what the rows are named after.
        basis: how years are counted.
    """
    years, labels, found = [], [], []
    for chain, expiry in rows:
        quotes = chain.quotes.filter(pl.col("root") == root, pl.col("expiry") == expiry)
        years.append(_years(quotes, chain, expiry, basis))
        labels.append((expiry if label == "expiry" else chain.snapshot_time).isoformat())
        found.append(_volume_row(quotes, edges))
    return _stacked(found, edges, years, labels)


def _stacked(
    rows: Sequence[_Row], edges: Floats, years: Sequence[float], labels: list[str]
) -> Surface:
    shape = (len(rows), edges.size - 1)
    return Surface(
        strikes=0.5 * (edges[:-1] + edges[1:]),
        tte_years=np.array(years, dtype=np.float64),
        labels=labels,
        values=np.array([row.values for row in rows], dtype=np.float64).reshape(shape),
        counts=np.array([row.counts for row in rows], dtype=np.int64).reshape(shape),
        unclear=sum(row.unclear for row in rows),
    )


def _years(quotes: pl.DataFrame, chain: Chain, expiry: date, basis: TimeBasis) -> float:
    """Return the years to the payment of these contracts; NaN where there is none."""
    if quotes.is_empty():
        return np.nan
    return years_to_payment(chain.snapshot_time, expiry, quotes["settlement"][0], basis)


def _volume_row(quotes: pl.DataFrame, edges: Floats) -> _Row:
    known = quotes.filter(pl.col("volume").is_not_null())
    strikes, volume = known["strike"].to_numpy(), known["volume"].to_numpy()
    counts = np.histogram(strikes, edges)[0]
    traded = np.histogram(strikes, edges, weights=volume)[0]
    return _Row(np.where(counts > 0, traded, np.nan), counts)


def _rate_row(frame: pl.DataFrame, edges: Floats, which: Which, clear_within: float) -> _Row:
    values = np.full(edges.size - 1, np.nan)
    counts = np.zeros(values.size, dtype=np.int64)
    cells = _rate_by_cell(frame, edges, which)
    at, boxes = cells["cell"].to_numpy(), cells["boxes"].to_numpy()
    counts[at] = boxes
    clear = _clear(cells["spread"].to_numpy() / (2.0 * boxes) ** 0.25, clear_within)
    values[at[clear]] = cells["rate"].to_numpy()[clear]
    return _Row(values, counts, int(np.count_nonzero(~clear)))


def _rate_by_cell(frame: pl.DataFrame, edges: Floats, which: Which) -> pl.DataFrame:
    """Return cell, rate, boxes and spread (NaN if unknown) of the cells that have a rate."""
    boxes = frame.select("mid_strike", "bid_rate", "mid_rate", "ask_rate").filter(
        pl.col(f"{which}_rate").is_finite(),
        pl.col("mid_strike").is_between(edges[0], edges[-1]),
    )
    cell = np.searchsorted(edges, boxes["mid_strike"].to_numpy(), side="right") - 1
    boxes = boxes.with_columns(cell=pl.Series(np.minimum(cell, edges.size - 2)))
    rate = {
        "mid": weighted_median("mid_rate"),
        "bid": pl.col("bid_rate").min(),
        "ask": pl.col("ask_rate").max(),
    }[which]
    spread = tightest_spread().median().abs().fill_null(np.nan)
    return boxes.group_by("cell").agg(rate=rate, boxes=pl.len(), spread=spread)


def _clear(error: Floats, within: float) -> NDArray[np.bool_]:
    """Tell which cells of a row are clear; one of unknown error is so only without a limit.

    A cell whose two sides are locked has no error. It is clear, and no measure for the others.
    """
    if np.isinf(within):
        return np.ones(error.size, np.bool_)
    least = np.min(error, initial=np.inf, where=error > 0.0)
    clear: NDArray[np.bool_] = (error == 0.0) | (error <= within * least)
    return clear
