"""Surfaces for the screen: a rate, or traded volume, by strike cell and by row.

A row is an expiry, or a snapshot of one expiry: the caller gives the tables in the order wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from live_box_spreads.books.views.liquid import tight_spread, weighted_median
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.settlement import TimeBasis, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.boxspread import QuoteSide
    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]

VIEW_COLUMNS: Final = ("mid_strike", "moneyness_mid", "bid_rate", "mid_rate", "ask_rate")
"""What surfaces and term structure need of a box table: a seventh of its columns and memory."""

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
class SurfaceRow:
    """One row of a surface; the fields as there."""

    values: Floats
    counts: NDArray[np.int64]
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What surfaces and headers need of the boxes of one expiry; small beside their table.

    Attributes:
        expiry: expiration date.
        snapshot_time: the instant of the quotes (UTC).
        tte_years: years to the payment; NaN where nothing is left.
        kept: boxes that passed the filters.
        removed: boxes that did not, by reason.
        rows: a row of a surface for each quote side.
    """

    expiry: date
    snapshot_time: datetime
    tte_years: float
    kept: int
    removed: Mapping[str, int]
    rows: Mapping[QuoteSide, SurfaceRow]


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


def survey_boxes(table: BoxTable, edges: Floats, clear_within: float = np.inf) -> Survey:
    """Lay the three rates of the boxes of an expiry over their middle strikes, in one pass.

    A cell holds many boxes, from very narrow to very wide. The spread of a box's rate is its
    quotes' half-spreads over its width and its time, so a narrow box has a wild mid rate: ``mid``
    is the median of the cell's boxes, each weighing ``1 / (bid_rate - ask_rate)**2``. ``bid`` is
    the lowest ``bid_rate`` (the cheapest loan to be had), ``ask`` the highest ``ask_rate`` (the
    best investment to be had).

    Args:
        table: boxes with ``mid_strike`` and the three rates.
        edges: (m + 1,) ascending cell edges, index points; a cell has its lower edge, the last
            one both.
        clear_within: a cell whose rate is known this many times worse than that of the row's
            clearest cell is left empty: far from the money it would show the width of quotes and
            no rate. How well a rate is known goes with the spread of the cell's tight boxes over
            the square root of the number of strikes behind them, which is about ``sqrt(2 boxes)``.
    """
    return Survey(
        expiry=table.expiry,
        snapshot_time=table.snapshot_time,
        tte_years=table.tte_years,
        kept=len(table.frame),
        removed=table.removed,
        rows=_rate_rows(table.frame, edges, clear_within),
    )


def rate_surface(
    surveys: Sequence[Survey], edges: Floats, side: QuoteSide, *, label: RowLabel = "expiry"
) -> Surface:
    """Make a surface of the surveys of some expiries or snapshots.

    Args:
        surveys: one a row, in order, all with these edges.
        edges: (m + 1,) cell edges, index points.
        side: the rate to show.
        label: what the rows are named after.
    """
    return _stacked(
        [survey.rows[side] for survey in surveys],
        edges,
        [survey.tte_years for survey in surveys],
        [getattr(survey, label).isoformat() for survey in surveys],
    )


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
    rows: Sequence[SurfaceRow], edges: Floats, years: Sequence[float], labels: list[str]
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


def _volume_row(quotes: pl.DataFrame, edges: Floats) -> SurfaceRow:
    known = quotes.filter(pl.col("volume").is_not_null())
    strikes, volume = known["strike"].to_numpy(), known["volume"].to_numpy()
    counts = np.histogram(strikes, edges)[0]
    traded = np.histogram(strikes, edges, weights=volume)[0]
    return SurfaceRow(np.where(counts > 0, traded, np.nan), counts)


def _rate_rows(
    frame: pl.DataFrame, edges: Floats, clear_within: float
) -> dict[QuoteSide, SurfaceRow]:
    middle, bid, mid, ask = (
        frame[name].to_numpy() for name in ("mid_strike", "bid_rate", "mid_rate", "ask_rate")
    )
    cells = edges.size - 1
    within = (middle >= edges[0]) & (middle <= edges[-1])
    cell = np.minimum(np.searchsorted(edges, middle, side="right") - 1, cells - 1)
    # Sorting small integers is linear, and puts the boxes of a cell side by side.
    cell = np.where(within, cell, cells).astype(np.int16)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(cells + 1))
    bid, mid, ask = bid[order], mid[order], ask[order]
    with np.errstate(invalid="ignore"):  # both rates of a box may be infinite
        apart = bid - ask
    median, spread = np.full((2, cells), np.nan)
    for at in np.flatnonzero(np.diff(starts)):
        boxes = slice(starts[at], starts[at + 1])
        median[at] = weighted_median(mid[boxes], apart[boxes])
        spread[at] = abs(tight_spread(apart[boxes]))
    rates: dict[QuoteSide, tuple[Floats, Floats]] = {
        "mid": (mid, median),
        "bid": (bid, _least(bid, starts)),
        "ask": (ask, -_least(-ask, starts)),
    }
    return {
        side: _cleared(values, _counts(boxes, starts), spread, clear_within)
        for side, (boxes, values) in rates.items()
    }


def _least(rates: Floats, starts: NDArray[np.intp]) -> Floats:
    """Return the least finite rate of each cell, (m,); NaN where there is none."""
    least = np.full(starts.size - 1, np.nan)
    filled = np.flatnonzero(np.diff(starts))
    if filled.size:
        known = np.where(np.isfinite(rates), rates, np.nan)[: starts[-1]]
        least[filled] = np.fmin.reduceat(known, starts[filled])
    return least


def _counts(rates: Floats, starts: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return how many boxes of each cell have the rate, (m,)."""
    below = np.concatenate([[0], np.cumsum(np.isfinite(rates))])
    return np.diff(below[starts])


def _cleared(
    values: Floats, counts: NDArray[np.int64], spread: Floats, clear_within: float
) -> SurfaceRow:
    """Leave the cells empty whose boxes hardly tell their rate."""
    at = np.flatnonzero(counts)
    clear = _clear(spread[at] / (2.0 * counts[at]) ** 0.25, clear_within)
    shown = np.full(values.size, np.nan)
    shown[at[clear]] = values[at[clear]]
    return SurfaceRow(shown, counts, int(np.count_nonzero(~clear)))


def _clear(error: Floats, within: float) -> NDArray[np.bool_]:
    """Tell which cells of a row are clear; one of unknown error is so only without a limit.

    A cell whose two sides are locked has no error. It is clear, and no measure for the others.
    """
    if np.isinf(within):
        return np.ones(error.size, np.bool_)
    least = np.min(error, initial=np.inf, where=error > 0.0)
    clear: NDArray[np.bool_] = (error == 0.0) | (error <= within * least)
    return clear
