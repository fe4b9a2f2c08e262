"""What a new stream takes over from the one before: quotes with their times, until its own come.

Contracts are listed anew each trading day and after each expiry. Subscribing them takes minutes;
meanwhile most of them are the same contracts as before, and their quotes are as old as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.feeds.base import Quotes, Update
from live_box_spreads.model.chain import KEY

if TYPE_CHECKING:
    from datetime import datetime

    from live_box_spreads.feeds.base import Contracts
    from live_box_spreads.model.chain import Chain

_REASON = "the contracts were listed anew"


def inherited(before: Chain, contracts: Contracts, now: datetime) -> Update | None:
    """Return an update that hands the quotes of a chain on to a new list of contracts.

    Volume and last prices are not handed on: they may be those of another trading day.

    Args:
        before: what was known of the contracts before.
        contracts: the contracts now.
        now: the instant of the update, with a time zone.

    Returns:
        Quotes with their old times, marked as lost until they are quoted anew; None if no
        contract of before is still listed with a quote.
    """
    quoted = before.quotes.filter(pl.col("quote_time").is_not_null())
    rows = (
        contracts.table.select(KEY)
        .with_row_index("row")
        .join(quoted, on=KEY, how="inner", maintain_order="left")
    )
    if rows.is_empty():
        return None
    numbers = rows["row"].cast(pl.Int32).to_numpy()
    times = rows["quote_time"].dt.replace_time_zone(None).to_numpy()
    return Update(
        now,
        quotes=Quotes(
            numbers,
            rows["bid"].to_numpy(),
            rows["ask"].to_numpy(),
            rows["bid_size"].to_numpy(),
            rows["ask_size"].to_numpy(),
            times,
        ),
        spot=before.spot,
        lost=numbers,
        reason=_REASON,
    )
