"""Every view of the books has an answer for every chain that ``Chain.build`` lets through."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from math import isfinite
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.books.boxes.opportunities import fair_values
from live_box_spreads.books.boxes.search import Search
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.desk import Desk
from live_box_spreads.model.chain import CHAIN_SCHEMA, Chain, Timeliness
from live_box_spreads.model.chain_values import (
    FIRST_INSTANT,
    LAST_INSTANT,
    MAX_CONTRACTS,
    MAX_PRICE,
    MAX_STRIKE,
    MIN_STRIKE,
)
from live_box_spreads.model.settlement import (
    FIRST_SERVED_DAY,
    LAST_SERVED_DAY,
    TimeBasis,
    premium_date,
)
from tests.books.by_desk import box_table, curve, opportunities

NAN = float("nan")
PRICES = st.sampled_from([0.0, 1e-12, 1.0, 100.0, MAX_PRICE, NAN]) | st.floats(0, MAX_PRICE)
SIZES = st.sampled_from([0.0, 1.0, float(MAX_CONTRACTS), NAN])
COUNTS = st.sampled_from([None, 0, 7, MAX_CONTRACTS])
DAYS = st.sampled_from([FIRST_SERVED_DAY, LAST_SERVED_DAY]) | st.dates(
    FIRST_SERVED_DAY, LAST_SERVED_DAY
)
INSTANTS = st.sampled_from([FIRST_INSTANT, LAST_INSTANT]) | st.datetimes(
    FIRST_INSTANT.replace(tzinfo=None),
    LAST_INSTANT.replace(tzinfo=None),
    timezones=st.just(UTC),
)
STRIKES = st.sampled_from([MIN_STRIKE, 100.0, 200.0, 300.0, MAX_STRIKE])


def _row(strike: float, right: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "strike": st.just(strike),
            "right": st.just(right),
            "bid": PRICES,
            "ask": PRICES,
            "bid_size": SIZES,
            "ask_size": SIZES,
            "last": PRICES,
            "volume": COUNTS,
            "open_interest": COUNTS,
        }
    )


@st.composite
def _chains(draw: st.DrawFn) -> Chain:
    now = draw(INSTANTS)
    fixed = {
        "root": draw(st.sampled_from(["SPX", "SPXW"])),
        "underlying": "SPX",
        "expiry": draw(DAYS),
        "settlement": draw(st.sampled_from(["AM", "PM"])),
        "quote_time": now - timedelta(seconds=draw(st.sampled_from([0, 3600]))),
    }
    strikes = draw(st.lists(STRIKES, min_size=1, max_size=5, unique=True))
    rows = [fixed | draw(_row(strike, right)) for strike in strikes for right in "CP"]
    return Chain.build(
        pl.DataFrame(rows, schema=dict(CHAIN_SCHEMA)),
        snapshot_time=now,
        feed="any",
        timeliness=Timeliness.REPLAY,
        spot=draw(st.sampled_from([{}, {"SPX": 200.0}, {"SPX": 1e-300}, {"SPX": MAX_PRICE}])),
    )


@pytest.mark.filterwarnings("error")
@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(_chains(), st.sampled_from(TimeBasis))
def test_every_view_has_an_answer(chain: Chain, basis: TimeBasis) -> None:
    table = curve(chain, basis=basis)
    assert table.select("root", "expiry").rows() == chain.keys()
    for root, expiry in chain.keys():  # noqa: SIM118 # no mapping
        boxes = box_table(chain, root, expiry, basis=basis).frame
        assert (boxes["bid_cost"].fill_nan(None).drop_nulls().is_finite()).all()
    fair = fair_values(table)
    for wish in (Search("lend", 0.0, 5), Search("borrow", 0.0, 5)):
        opportunities(chain, fair, wish, basis=basis)


@st.composite
def _wild_lines(draw: st.DrawFn) -> Chain:
    """Chains with strikes enough for a line, far off parity as often as not."""
    now = draw(INSTANTS)
    level = draw(st.sampled_from([0.01, 1.0, 1e3, 1e6]))
    wild = st.sampled_from([0.0, 1e-9, 0.01, 0.3])
    rows = []
    first = min(max(now.date(), FIRST_SERVED_DAY), LAST_SERVED_DAY - timedelta(days=900))
    ahead = st.integers(0, 900).map(lambda days: first + timedelta(days=days))
    for expiry in draw(st.lists(ahead | DAYS, min_size=1, max_size=5, unique=True)):
        slope, error = draw(st.sampled_from([1.0, 0.97, 1.2, 1e-6])), draw(wild)
        for number in range(draw(st.integers(6, 9))):
            strike = level * (0.7 + 0.1 * number)
            off = level * error * draw(st.floats(-1.0, 1.0))
            parity = slope * (level - strike) + off
            put = max(-parity, 0.0) + 0.05 * level
            for right, mid in (("C", parity + put), ("P", put)):
                key = {"root": "SPX", "underlying": "SPX", "settlement": "PM", "expiry": expiry}
                quote = {"bid": 0.999 * mid, "ask": 1.001 * mid}
                rows.append(key | quote | {"strike": strike, "right": right})
    return Chain.build(
        pl.DataFrame(rows),
        snapshot_time=now,
        feed="any",
        timeliness=Timeliness.REPLAY,
        spot=draw(st.sampled_from([{}, {"SPX": 0.0}, {"SPX": level}, {"SPX": MAX_PRICE}])),
    )


@pytest.mark.filterwarnings("error")
@settings(deadline=None, max_examples=60)
@given(_wild_lines(), st.sampled_from(CurveFit), st.lists(DAYS, max_size=4))
def test_every_date_has_a_rate_or_a_reason(chain: Chain, fit: CurveFit, dates: list[date]) -> None:
    desk = Desk(chain, Conventions(fit=fit))
    dates += [premium_date(chain.snapshot_time) + timedelta(days=days) for days in (1, 91)]
    for row in desk.tenors(dates).iter_rows(named=True):
        assert isfinite(row["rate"]) or row["note"]
    for row in desk.headline("SPX").iter_rows(named=True):
        assert isfinite(row["fair_rate"])
        assert row["is_exact"] or row["note"]
    [row] = desk.quality().iter_rows(named=True)
    assert (row["at_expiry"] is None) or isfinite(row["kink_points"])
    assert row["reason"] or row["expiries_used"] == row["expiries"]
