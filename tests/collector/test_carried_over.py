from __future__ import annotations

from datetime import timedelta

import numpy as np

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.collector.sources import carried_over
from live_box_spreads.feeds.base import Update
from live_box_spreads.model.chain import Timeliness
from tests.collector.scripted import START, contracts_of, quotes

NOW = START + timedelta(minutes=10)


def book_of_both_roots() -> LiveBook:
    book = LiveBook(contracts_of("SPX", "SPXW"))
    book.apply(Update(START, quotes=quotes(1, 2, 3), spot={"SPX": 6900.0}))
    return book


def test_what_is_listed_still_and_was_quoted_is_handed_on() -> None:
    before = book_of_both_roots().snapshot(NOW, "test", Timeliness.LIVE)
    update = carried_over(before, contracts_of("SPXW", "SPX"), NOW)  # in another order
    assert update is not None
    assert update.quotes is not None
    assert update.lost is not None
    assert sorted(update.quotes.rows) == sorted(update.lost) == [0, 1, 3]
    assert update.spot == {"SPX": 6900.0}
    book = LiveBook(contracts_of("SPXW", "SPX"))
    book.apply(update)
    times = book.snapshot(NOW, "test", Timeliness.LIVE).quotes["quote_time"]
    assert times.to_list() == [None, START, START, START]  # sorted by root: SPX comes first
    np.testing.assert_array_equal(book.ages_secs(NOW)[[0, 1, 3]], 600.0)
    assert book.lost_since == NOW


def test_nothing_in_common_is_nothing_to_hand_on() -> None:
    before = book_of_both_roots().snapshot(NOW, "test", Timeliness.LIVE)
    table = contracts_of("SPX").table
    one_unquoted = type(contracts_of("SPX"))(table.head(1))
    assert carried_over(before, one_unquoted, NOW) is None
