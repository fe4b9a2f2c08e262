from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.books.prints import (
    BOX_PRINT_SCHEMA,
    PRINT_SCHEMA,
    FairCurve,
    median_of_others,
    printed_boxes,
)
from live_box_spreads.feeds.importers.prints import read_prints
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.rates import Compounding
from tests.real_data import DATA, NO_DATA

FILE = DATA / "box_trades" / "spx_option_prints_20240920.csv.gz"
TIME = datetime(2024, 9, 20, 17, 3, 41, 295_000, tzinfo=UTC)
EXPIRY = date(2024, 12, 20)
# Trade Friday 2024-09-20, paid Monday 09-23; expiry Friday 12-20, paid Monday 12-23.
DAYS = 91


def legs(
    kl: float = 4000.0, ks: float = 5000.0, price: float = 987.7, **columns: Any
) -> list[dict[str, Any]]:
    """Return the four prints of a box at this price."""
    leg_prices = [(kl, "C", 1700.0), (ks, "C", 720.0), (ks, "P", 20.0), (kl, "P", 1000.0 - price)]
    common = {"time": TIME, "root": "SPX", "expiry": EXPIRY, "size": 10, **columns}
    return [
        {**common, "strike": strike, "right": right, "price": leg}
        for strike, right, leg in leg_prices
    ]


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=PRINT_SCHEMA)


def test_four_prints_of_one_instant_and_size_are_a_box() -> None:
    found = printed_boxes(frame_of(legs()[::-1]))
    assert found.frame.schema == BOX_PRINT_SCHEMA
    [box] = found.frame.to_dicts()
    assert (box["time"], box["root"], box["expiry"]) == (TIME, "SPX", EXPIRY)
    assert (box["kl"], box["ks"], box["width"], box["size"]) == (4000.0, 5000.0, 1000.0, 10)
    assert box["price"] == pytest.approx(987.7)
    assert box["tte_years"] == pytest.approx(DAYS / 365)
    assert box["rate"] == pytest.approx((1000 / 987.7) ** (365 / DAYS) - 1)
    assert np.isnan(box["fair_rate"])
    assert (box["fair_source"], box["note"]) == ("", "")
    assert (found.prints, found.used, dict(found.unassigned)) == (4, 4, {})
    simple = printed_boxes(frame_of(legs()), compounding=Compounding.SIMPLE)
    assert simple.frame["rate"].item() == pytest.approx((1000 / 987.7 - 1) * 360 / DAYS)


@pytest.mark.parametrize(
    "change",
    [
        {"time": TIME + timedelta(milliseconds=1)},
        {"size": 11},
        {"root": "SPXW"},
        {"expiry": date(2025, 3, 21)},
        {"strike": 4500.0},
        {"right": "P"},
    ],
)
def test_a_leg_apart_makes_no_box(change: dict[str, Any]) -> None:
    rows = legs()
    rows[0] |= change
    found = printed_boxes(frame_of(rows))
    assert found.frame.is_empty()
    assert found.frame.schema == BOX_PRINT_SCHEMA


def test_parts_of_one_trade_with_other_sizes_are_boxes_of_their_own() -> None:
    found = printed_boxes(frame_of([*legs(size=18), *legs(size=19)]))
    assert found.frame["size"].to_list() == [18, 19]
    assert found.used == 8


def test_boxes_alike_in_one_group_are_one_trade_of_their_sum() -> None:
    found = printed_boxes(frame_of([*legs(price=987.7), *legs(price=987.8)]))
    [box] = found.frame.to_dicts()
    assert box["size"] == 20
    assert box["price"] == pytest.approx(987.75)
    assert found.used == 8


def test_what_could_only_be_guessed_is_counted() -> None:
    twice = legs()
    uneven = [*legs(), twice[0], twice[2]]
    two_boxes = [*legs(size=7), *legs(kl=4500.0, ks=5500.0, size=7)]
    found = printed_boxes(frame_of([*uneven, *two_boxes]))
    assert found.frame.is_empty()
    assert dict(found.unassigned) == {
        "two strikes, but not as many prints of each leg": 1,
        "more than two strikes: which of them make a box cannot be told": 1,
    }
    assert (found.prints, found.used) == (14, 0)


def test_is_compared_with_the_curve_where_it_has_the_expiry() -> None:
    other = legs(expiry=date(2025, 1, 17))
    curve = FairCurve({("SPX", EXPIRY): 0.05}, TIME.date(), "curve of a test")
    frame = printed_boxes(frame_of([*legs(), *other]), curve=curve).frame
    here, there = frame.sort("expiry").to_dicts()
    assert here["fair_source"] == "curve of a test"
    assert here["distance_bps"] == pytest.approx((here["rate"] - 0.05) * 1e4)
    assert there["fair_source"] == ""
    assert np.isnan(there["distance_bps"])


def test_a_curve_of_another_day_is_not_compared_with() -> None:
    later = date(2024, 9, 23)  # the Monday after
    rows = [
        row
        for minute in range(4)
        for row in legs(time=TIME + timedelta(minutes=minute), price=987.7 + 0.1 * minute)
    ]
    curve = FairCurve({("SPX", EXPIRY): 0.05}, later, "curve of a test")
    with pytest.raises(ModelError, match=r"of trade date 2024-09-23, the prints of 2024-09-20 to"):
        printed_boxes(frame_of(rows), curve=curve)
    both = [*rows, *legs(time=TIME + timedelta(days=3))]
    frame = printed_boxes(frame_of(both), curve=curve).frame
    assert frame["fair_source"].to_list() == ["median of 4 other boxes"] * 4 + ["curve of a test"]
    assert printed_boxes(frame_of([]), curve=curve).frame.is_empty()


def test_is_compared_with_the_other_boxes_of_its_expiry_when_there_are_enough() -> None:
    prices = [987.6, 987.7, 987.8, 990.0]
    rows = [
        row
        for minute, price in enumerate(prices)
        for row in legs(price=price, time=TIME + timedelta(minutes=minute))
    ]
    frame = printed_boxes(frame_of(rows)).frame
    rate = frame["rate"].to_list()
    # The lower median of three others is the middle one; the odd one out bends none of them.
    assert frame["fair_rate"].to_list() == [rate[2], rate[2], rate[1], rate[1]]
    assert set(frame["fair_source"]) == {"median of 3 other boxes"}
    assert printed_boxes(frame_of(rows[:12])).frame["fair_rate"].is_nan().all()


@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.sampled_from([50.0, 100.0, 1000.0])),
        min_size=2,
        max_size=12,
    )
)
def test_the_median_of_others_is_that_of_the_list_without_it(
    pairs: list[tuple[int, float]],
) -> None:
    values = np.array([float(value) for value, _ in pairs])
    weights = np.array([weight for _, weight in pairs])
    wanted = []
    for left_out in range(values.size):
        rest = sorted(
            (value, weight)
            for place, (value, weight) in enumerate(zip(values, weights, strict=True))
            if place != left_out
        )
        half, passed = 0.5 * sum(weight for _, weight in rest), 0.0
        for value, weight in rest:
            passed += weight
            if passed >= half:
                wanted.append(value)
                break
    np.testing.assert_array_equal(median_of_others(values, weights), wanted)


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        ({"root": "SPY"}, "a box is no loan: the root is not known to be European"),
        ({"root": "ABCD"}, "a box is no loan: the root is not known to be European"),
        ({"expiry": date(2024, 9, 19)}, "nothing is left of the loan"),
        ({"price": -3.0}, "cost is not positive"),
    ],
)
def test_no_rate_without_a_reason(columns: dict[str, Any], note: str) -> None:
    [box] = printed_boxes(frame_of(legs(**columns))).frame.to_dicts()
    assert np.isnan(box["rate"])
    assert np.isnan(box["distance_bps"])
    assert box["note"] == note


def test_no_prints_have_no_boxes() -> None:
    found = printed_boxes(frame_of([]))
    assert found.frame.schema == BOX_PRINT_SCHEMA
    assert (found.prints, found.used, dict(found.unassigned)) == (0, 0, {})


@pytest.mark.realdata
@pytest.mark.skipif(not FILE.exists(), reason=NO_DATA)
def test_the_boxes_of_2024_09_20() -> None:
    read = read_prints(FILE)
    assert (len(read.frame), dict(read.rejected)) == (20_950, {})
    found = printed_boxes(read.frame)
    # data/README.md: 236 groups of four. One more group has two strikes and six prints.
    assert len(found.frame) == 236
    assert found.used == 4 * 236
    assert dict(found.unassigned) == {"two strikes, but not as many prints of each leg": 1}
    wide = found.frame.filter(pl.col("width") >= 500, pl.col("distance_bps").is_not_nan())
    assert wide["distance_bps"].abs().median() < 5  # type: ignore[operator]
    # 5,000/6,000 for December at 987.70 in the morning, by hand from the file's lines
    [box] = found.frame.filter(
        pl.col("time") == datetime(2024, 9, 20, 14, 24, 58, 703_000, tzinfo=UTC),
        pl.col("size") == 1,
    ).to_dicts()
    assert box["price"] == pytest.approx(987.7)
    assert box["rate"] == pytest.approx((1000 / 987.7) ** (365 / DAYS) - 1)
