"""Box trades in a day of option prints: what boxes really traded at.

A box trades as one complex order; its four legs are printed in the same millisecond and with the
same size. So prints are grouped by root, expiry, time and size. A group is a box (or several alike)
where it has exactly two strikes and the same number of prints of each of the four contracts. A
group that has two strikes with both rights and yet cannot be split into boxes without guessing is
counted, never guessed at. A trade of two straddles has the same four legs: the tape cannot tell.

Which side started the trade is not on the tape either: a printed rate is one at which money was
lent and borrowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from live_box_spreads.model.chain import RIGHT_TYPE, TIME_TYPE
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.products import PRODUCTS, is_loan
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import trade_date, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRINT_SCHEMA = pl.Schema(
    {
        "time": TIME_TYPE,
        "root": pl.String(),
        "expiry": pl.Date(),
        "strike": pl.Float64(),
        "right": RIGHT_TYPE,
        "price": pl.Float64(),
        "size": pl.Int64(),
    }
)
"""One trade print a row: UTC to the millisecond, index points, contracts."""

BOX_PRINT_SCHEMA = pl.Schema(
    {
        "time": TIME_TYPE,
        "root": pl.String(),
        "expiry": pl.Date(),
        "kl": pl.Float64(),
        "ks": pl.Float64(),
        "width": pl.Float64(),
        "size": pl.Int64(),
        "price": pl.Float64(),
        "discount": pl.Float64(),
        "tte_years": pl.Float64(),
        "rate": pl.Float64(),
        "fair_rate": pl.Float64(),
        "distance_bps": pl.Float64(),
        "fair_source": pl.String(),
        "note": pl.String(),
    }
)
"""One printed box a row: ``size`` in boxes, ``price`` in index points, rates as fractions,
``distance_bps`` is ``rate - fair_rate``; NaN where it is not known, and ``note`` says why."""

LEAST_OTHERS = 3
"""Other boxes of an expiry that it takes to say what is fair there."""

_GROUP = ["root", "expiry", "time", "size"]
_UNEVEN = "two strikes, but not as many prints of each leg"
_MANY = "more than two strikes: which of them make a box cannot be told"


class FairCurve(NamedTuple):
    """Fair rates to compare prints with.

    Attributes:
        rates: fair rate by (root, expiry), as a fraction, in the compounding of the prints.
        trade_date: the day whose trades these rates are for.
        name: what to call it, in a few words.
    """

    rates: Mapping[tuple[str, date], float]
    trade_date: date
    name: str


@dataclass(frozen=True, slots=True)
class PrintedBoxes:
    """The boxes of a print file.

    Attributes:
        frame: ``BOX_PRINT_SCHEMA``, in the order of their time.
        prints: prints looked at.
        used: prints that make up the boxes.
        unassigned: groups of prints that may hold a box and were not split, by reason.
    """

    frame: pl.DataFrame
    prints: int
    used: int
    unassigned: Mapping[str, int]


def printed_boxes(
    prints: pl.DataFrame,
    *,
    compounding: Compounding = Compounding.EFFECTIVE,
    curve: FairCurve | None = None,
) -> PrintedBoxes:
    """Find the boxes in trade prints, and their rates.

    The rate counts from payment to payment, the premium's by the trade date of the print. It is
    compared with the curve where that has the expiry and is of that trade date, else with the other
    boxes of the file in that expiry: the median of their rates, weighted by width (a price is a
    multiple of the tick, so a rate is the finer the wider the box), if there are at least
    ``LEAST_OTHERS``.

    Args:
        prints: ``PRINT_SCHEMA``, in any order.
        compounding: convention of the rates.
        curve: fair rates of one trade date.

    Raises:
        ModelError: a print is outside the session calendar, or no box is of the curve's trade date.
    """
    groups = _groups(prints)
    is_box = (pl.col("strikes") == 2) & (pl.col("fewest") == pl.col("most"))  # noqa: PLR2004
    boxes = groups.filter(is_box)
    others = groups.filter(~is_box)
    unassigned = {
        _UNEVEN: len(others.filter(pl.col("strikes") == 2)),  # noqa: PLR2004
        _MANY: len(others.filter(pl.col("strikes") > 2)),  # noqa: PLR2004
    }
    frame = _with_rates(_boxes(boxes), compounding)
    return PrintedBoxes(
        frame=_with_fair_rates(frame, curve).select(BOX_PRINT_SCHEMA.names()),
        prints=len(prints),
        used=int(boxes["prints"].sum()),
        unassigned=MappingProxyType({why: n for why, n in unassigned.items() if n}),
    )


def _groups(prints: pl.DataFrame) -> pl.DataFrame:
    """Return the groups that have both rights at two strikes or more."""
    by_strike = prints.group_by([*_GROUP, "strike"]).agg(
        *(
            aggregate.alias(f"{name}_{right}")
            for right in ("C", "P")
            for name, aggregate in (
                ("prints", (pl.col("right") == right).sum()),
                ("price", pl.col("price").filter(pl.col("right") == right).mean()),
            )
        )
    )
    whole = (pl.col("prints_C") > 0) & (pl.col("prints_P") > 0)
    synthetic = pl.col("price_C") - pl.col("price_P")
    lowest, highest = pl.col("strike").arg_min(), pl.col("strike").arg_max()
    return (
        by_strike.group_by(_GROUP)
        .agg(
            pl.len().alias("strikes"),
            whole.sum().alias("whole"),
            pl.min_horizontal("prints_C", "prints_P").min().alias("fewest"),
            pl.max_horizontal("prints_C", "prints_P").max().alias("most"),
            (pl.col("prints_C") + pl.col("prints_P")).sum().alias("prints"),
            pl.col("strike").min().alias("kl"),
            pl.col("strike").max().alias("ks"),
            (synthetic.get(lowest) - synthetic.get(highest)).alias("price"),
        )
        .filter(pl.col("whole") >= 2)  # noqa: PLR2004 # both strikes of a box
    )


def _boxes(groups: pl.DataFrame) -> pl.DataFrame:
    """Return one row a box trade; several boxes alike in one group are one trade of their sum."""
    return groups.with_columns(
        width=pl.col("ks") - pl.col("kl"),
        size=pl.col("size") * pl.col("fewest").cast(pl.Int64),
        # Sums of prices in cents; the last digits are rounding.
        price=pl.col("price").round(6),
    ).sort("time", "root", "expiry", "size", "kl")


def _with_rates(boxes: pl.DataFrame, compounding: Compounding) -> pl.DataFrame:
    """Add years, discount factor, rate, and why there is no rate."""
    years = np.array(
        [
            years_to_payment(time, expiry, PRODUCTS[root].settlement) if is_loan(root) else np.nan
            for root, expiry, time in boxes.select("root", "expiry", "time").iter_rows()
        ],
        dtype=np.float64,
    )
    discount = boxes["price"].to_numpy() / boxes["width"].to_numpy()
    return boxes.with_columns(
        loan=pl.Series([is_loan(root) for root in boxes["root"]], dtype=pl.Boolean),
        discount=pl.Series(discount),
        tte_years=pl.Series(years),
        rate=pl.Series(rate_from_discount(discount, years, compounding)),
    ).with_columns(
        note=pl.when(~pl.col("loan"))
        .then(pl.lit("a box is no loan: the root is not known to be European"))
        .when(pl.col("tte_years").is_nan())
        .then(pl.lit("nothing is left of the loan"))
        .when(pl.col("price") <= 0)
        .then(pl.lit("cost is not positive"))
        .otherwise(pl.lit(""))
    )


def _with_fair_rates(boxes: pl.DataFrame, curve: FairCurve | None) -> pl.DataFrame:
    """Add what each box is compared with: the curve, or the other boxes of its expiry."""
    rates, widths = boxes["rate"].to_numpy(), boxes["width"].to_numpy()
    fair, source = _from_curve(boxes, curve) if curve else (np.full(len(boxes), np.nan), "")
    sources = np.where(np.isfinite(fair), source, "").astype(object)
    rows = boxes.with_row_index("row").group_by("root", "expiry").agg("row")
    for members in rows["row"]:
        index = members.to_numpy()
        rated = index[np.isfinite(rates[index])]
        open_ = rated[np.isnan(fair[rated])]
        if open_.size and rated.size > LEAST_OTHERS:
            others = median_of_others(rates[rated], widths[rated])
            fair[open_] = others[np.isin(rated, open_)]
            sources[open_] = f"median of {rated.size - 1} other boxes"
    return boxes.with_columns(
        fair_rate=pl.Series(fair),
        fair_source=pl.Series(sources.tolist(), dtype=pl.String),
        distance_bps=pl.Series((rates - fair) * 1e4),
    )


def _from_curve(boxes: pl.DataFrame, curve: FairCurve) -> tuple[Floats, str]:
    """Return the curve's rate for each box of its trade date, NaN for the others, and its name."""
    days = {time: trade_date(time) for time in boxes["time"].unique()}
    if days and curve.trade_date not in days.values():
        raise ModelError(
            f"the {curve.name} is of trade date {curve.trade_date}, the prints of "
            f"{min(days.values())} to {max(days.values())}; compare with one of the same day"
        )
    rates = [
        curve.rates.get((root, expiry), np.nan) if days[time] == curve.trade_date else np.nan
        for root, expiry, time in boxes.select("root", "expiry", "time").iter_rows()
    ]
    return np.array(rates, dtype=np.float64), curve.name


def median_of_others(values: Floats, weights: Floats) -> Floats:
    """Return, for each value, the weighted median of all the others; (n,) with n > 1.

    The lower median: the least value that, with those under it, has half the weight of the others.
    """
    order = np.argsort(values, kind="stable")
    ascending, weight = values[order], weights[order]
    below = np.cumsum(weight)
    half = 0.5 * (below[-1] - weight)
    place = np.arange(values.size)
    before = np.searchsorted(below, half)
    # Above its own place, a value's own weight is in the sums and has to be taken out.
    after = np.searchsorted(below, half + weight)
    found = np.empty_like(values)
    found[order] = ascending[np.where(before < place, before, np.minimum(after, values.size - 1))]
    return found
