from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime
from math import isnan, nan
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.table import BOX_COLUMNS, LEG_QUOTE_COLUMNS
from live_box_spreads.boxspread import BoxSpread, LegQuote, LendBorrow
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.model.errors import ModelError, NotALoanError, UnknownRootError
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis
from tests.books.by_desk import box_table

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)  # Tuesday, 15:00 New York
EXPIRY = date(2027, 12, 17)
# The costs and rates of the example in docs/method.md.
BOX = BoxSpread(
    root="SPX",
    expiry=EXPIRY,
    kl=6000.0,
    ks=7000.0,
    call_kl=LegQuote(1230.60, 1231.00, 5, 7),
    call_ks=LegQuote(480.25, 480.60, 3, 4),
    put_kl=LegQuote(300.00, 300.25, 10, 11),
    put_ks=LegQuote(507.15, 507.65, 2, 8),
    snapshot_time=NOW,
    settlement="AM",
)


def test_costs_by_hand() -> None:
    assert BOX.ask_cost == pytest.approx(958.40)  # 1231.00 - 300.00 - 480.25 + 507.65
    assert BOX.bid_cost == pytest.approx(956.90)  # 1230.60 - 300.25 - 480.60 + 507.15
    assert BOX.mid_cost == pytest.approx(957.65)
    assert BOX.half_spread == pytest.approx(0.75)
    assert (BOX.width, BOX.payoff, BOX.mid_strike) == (1000, 1000, 6500)
    assert BOX.payoff_dollars == 100_000
    assert BOX.lend_size == 3  # call ks is sold on a bid of three
    assert BOX.borrow_size == 2  # put ks is sold on a bid of two


def test_dates_and_rates_by_hand() -> None:
    # Rates: tests/model/golden/rates.csv, the rows of 390 days.
    assert (BOX.premium_date, BOX.payment_date) == (date(2026, 11, 25), date(2027, 12, 20))
    assert BOX.days == 390
    assert BOX.years() == 390 / 365
    assert BOX.ask_rate == pytest.approx(0.0405675967, abs=1e-9)
    assert BOX.mid_rate == pytest.approx(0.0413302763, abs=1e-9)
    assert BOX.bid_rate == pytest.approx(0.0420941130, abs=1e-9)
    assert BOX.rate("mid", Compounding.SIMPLE) == pytest.approx(0.0408210804, abs=1e-9)
    # 387 days and 18.5 hours from 20:00 to 14:30 UTC.
    assert BOX.years(TimeBasis.EXPIRY_INSTANT) == pytest.approx((387 + 18.5 / 24) / 365)


def test_legs_of_a_loan_and_of_its_mirror() -> None:
    lend = [(leg.occ_symbol, leg.action, leg.price) for leg in BOX.legs(LendBorrow.LEND)]
    assert lend == [
        ("SPX   271217C06000000", "Buy to Open", 1231.00),
        ("SPX   271217C07000000", "Sell to Open", 480.25),
        ("SPX   271217P07000000", "Buy to Open", 507.65),
        ("SPX   271217P06000000", "Sell to Open", 300.00),
    ]
    borrow = [(leg.occ_symbol, leg.action, leg.price) for leg in BOX.legs(LendBorrow.BORROW)]
    assert borrow == [
        ("SPX   271217C06000000", "Sell to Open", 1230.60),
        ("SPX   271217C07000000", "Buy to Open", 480.60),
        ("SPX   271217P07000000", "Sell to Open", 507.15),
        ("SPX   271217P06000000", "Buy to Open", 300.25),
    ]
    with pytest.raises(ModelError, match="FLAT"):
        BOX.legs(LendBorrow.FLAT)


def test_direction_follows_the_cash() -> None:
    assert BOX.direction is LendBorrow.LEND
    credit = replace(BOX, call_kl=LegQuote(1.0, 1.1), put_kl=LegQuote(900.0, 901.0))
    assert credit.direction is LendBorrow.BORROW
    assert isnan(credit.mid_rate)
    assert replace(BOX, call_kl=LegQuote(nan, nan)).direction is LendBorrow.FLAT
    assert [int(side) for side in (LendBorrow.BORROW, LendBorrow.FLAT, LendBorrow.LEND)] == [
        -1,
        0,
        1,
    ]


@pytest.mark.parametrize("bid", [0.0, nan])
def test_a_missing_bid_takes_only_the_side_that_sells_it(bid: float) -> None:
    box = replace(BOX, call_ks=LegQuote(bid, 480.60))
    assert isnan(box.ask_cost)
    assert isnan(box.mid_cost)
    assert box.bid_cost == BOX.bid_cost
    assert isnan(box.lend_size)


@pytest.mark.parametrize("ask", [0.0, nan])
def test_a_missing_ask_takes_only_the_side_that_buys_it(ask: float) -> None:
    box = replace(BOX, call_kl=LegQuote(1230.60, ask))
    assert isnan(box.ask_cost)
    assert box.bid_cost == BOX.bid_cost


PRICE = st.integers(1, 400_000).map(lambda quarters: quarters / 64)
LEG = st.tuples(PRICE, st.integers(0, 640)).map(lambda p: LegQuote(p[0], p[0] + p[1] / 64))


@given(LEG, LEG, LEG, LEG)
def test_costs_and_rates_are_in_order(a: LegQuote, b: LegQuote, c: LegQuote, d: LegQuote) -> None:
    box = replace(BOX, call_kl=a, call_ks=b, put_kl=c, put_ks=d)
    assert box.bid_cost <= box.mid_cost <= box.ask_cost
    if box.bid_cost > 0:
        assert box.ask_rate <= box.mid_rate <= box.bid_rate
    signs = {"Buy to Open": 1, "Sell to Open": -1}
    for direction, cost in ((LendBorrow.LEND, box.ask_cost), (LendBorrow.BORROW, -box.bid_cost)):
        assert sum(signs[leg.action] * leg.price for leg in box.legs(direction)) == cost


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"kl": 7000.0}, ModelError, "make no box"),
        ({"ks": nan}, ModelError, "make no box"),
        ({"ks": float("inf")}, ModelError, "make no box"),
        ({"root": "SPY"}, NotALoanError, "American"),
        ({"root": "SPXX"}, UnknownRootError, "Did you mean"),
        ({"snapshot_time": NOW.replace(tzinfo=None)}, ModelError, "no time zone"),
    ],
)
def test_what_is_no_loan_is_refused(
    change: dict[str, Any], error: type[ModelError], words: str
) -> None:
    with pytest.raises(error, match=words):
        replace(BOX, **change)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        BOX.kl = 1.0  # type: ignore[misc] # that is the point
    assert not hasattr(BOX, "__dict__")


def a_chain() -> Chain:
    quotes = [
        (6000.0, "C", BOX.call_kl),
        (6000.0, "P", BOX.put_kl),
        (6500.0, "C", LegQuote(840.0, 841.0)),
        (6500.0, "P", LegQuote(390.0, 391.0)),
        (6600.0, "C", LegQuote(760.0, 761.0)),  # no put
        (7000.0, "C", BOX.call_ks),
        (7000.0, "P", BOX.put_ks),
    ]
    rows = [
        {
            "root": "SPX",
            "underlying": "SPX",
            "expiry": EXPIRY,
            "settlement": "AM",
            "strike": strike,
            "right": right,
            "bid": quote.bid,
            "ask": quote.ask,
            "bid_size": float(quote.bid_size),
            "ask_size": float(quote.ask_size),
        }
        for strike, right, quote in quotes
    ]
    return Chain.build(
        pl.DataFrame(rows), snapshot_time=NOW, feed="test", timeliness=Timeliness.REPLAY
    )


def test_boxes_of_a_chain() -> None:
    chain = a_chain()
    box = BoxSpread.from_chain(chain, "SPX", EXPIRY, 6000.0, 7000.0)
    assert (box.ask_cost, box.bid_cost, box.days) == (BOX.ask_cost, BOX.bid_cost, 390)
    assert box.lend_size == 3
    pairs = [(box.kl, box.ks) for box in BoxSpread.all_from_chain(chain, "SPX", EXPIRY)]
    assert pairs == [(6000, 6500), (6000, 7000), (6500, 7000)]
    with pytest.raises(ModelError, match="no SPX 2027-12-17 put at strike 6600"):
        BoxSpread.from_chain(chain, "SPX", EXPIRY, 6000.0, 6600.0)
    with pytest.raises(ModelError, match="has no SPX 2027-12-16; it has 1 SPX expiries"):
        BoxSpread.from_chain(chain, "SPX", date(2027, 12, 16), 6000.0, 7000.0)


def a_row() -> dict[str, Any]:
    row: dict[str, Any] = {"ticker": "SPX", "expiry": EXPIRY, "snapshot_time": NOW}
    row |= {"kl": 6000.0, "ks": 7000.0}
    for leg in ("call_kl", "call_ks", "put_kl", "put_ks"):
        quote: LegQuote = getattr(BOX, leg)
        row |= {f"{leg}_bid": quote.bid, f"{leg}_ask": quote.ask}
        row |= {f"{leg}_bid_size": quote.bid_size, f"{leg}_ask_size": quote.ask_size}
    return row


def test_boxes_of_rows_and_tables() -> None:
    box = BoxSpread.from_row(a_row())
    assert (box.ask_cost, box.bid_cost, box.lend_size) == (BOX.ask_cost, BOX.bid_cost, 3)
    assert box.settlement == "AM"
    frame = pl.DataFrame([a_row(), a_row() | {"call_ks_bid": None}])
    whole, broken = BoxSpread.from_table(frame)
    assert whole.mid_cost == BOX.mid_cost
    assert isnan(broken.ask_cost)
    assert broken.bid_cost == BOX.bid_cost


def test_bad_rows_are_refused_by_the_name_of_the_column() -> None:
    row = a_row()
    with pytest.raises(ModelError, match="lack the columns kl, put_ks_ask"):
        BoxSpread.from_table(pl.DataFrame([row]).drop("kl", "put_ks_ask"))
    with pytest.raises(ModelError, match="expiry holds '2027-12-17', which is no date"):
        BoxSpread.from_row(row | {"expiry": "2027-12-17"})
    with pytest.raises(ModelError, match="call_kl_bid holds 'dear', which is no number"):
        BoxSpread.from_row(row | {"call_kl_bid": "dear"})


@pytest.mark.parametrize(
    ("direction", "cost", "price", "effect"),
    [
        (LendBorrow.LEND, None, 958.40, "Debit"),
        (LendBorrow.BORROW, None, 956.90, "Credit"),
        (LendBorrow.LEND, 957.61, 957.65, "Debit"),  # paid: up
        (LendBorrow.BORROW, 957.69, 957.65, "Credit"),  # received: down
        (LendBorrow.LEND, -1.02, 1.00, "Credit"),  # a box that pays its buyer
        (LendBorrow.BORROW, -1.02, 1.05, "Debit"),
    ],
)
def test_a_limit_price_is_on_the_tick_and_never_better_than_asked(
    direction: LendBorrow, cost: float | None, price: float, effect: str
) -> None:
    order = BOX.order(direction, 3, cost=cost)
    assert order.limit_price == pytest.approx(price, abs=1e-9)
    assert (order.price_effect, order.boxes) == (effect, 3)


def test_the_tick_of_an_order_is_the_broker_s() -> None:
    assert BOX.order(LendBorrow.LEND, cost=957.611, tick=0.01).limit_price == 957.62
    assert BOX.order(LendBorrow.LEND, cost=957.61, tick=0.01).limit_price == 957.61


def test_an_order_becomes_json() -> None:
    assert json.loads(json.dumps(BOX.order(LendBorrow.BORROW, 2).as_dict())) == {
        "order_type": "Limit",
        "limit_price": 956.90,
        "price_effect": "Credit",
        "legs": [
            {"action": "Sell to Open", "quantity": 2, "occ_symbol": "SPX   271217C06000000"},
            {"action": "Buy to Open", "quantity": 2, "occ_symbol": "SPX   271217C07000000"},
            {"action": "Sell to Open", "quantity": 2, "occ_symbol": "SPX   271217P07000000"},
            {"action": "Buy to Open", "quantity": 2, "occ_symbol": "SPX   271217P06000000"},
        ],
    }


def test_what_makes_no_order_is_refused() -> None:
    with pytest.raises(ModelError, match="FLAT"):
        BOX.order(LendBorrow.FLAT)
    with pytest.raises(ModelError, match="0 boxes"):
        BOX.order(LendBorrow.LEND, 0)
    with pytest.raises(ModelError, match="no price to lend at"):
        replace(BOX, call_kl=LegQuote(1.0, nan)).order(LendBorrow.LEND)
    for tick in (0.0, nan):
        with pytest.raises(ModelError, match="make no limit price"):
            BOX.order(LendBorrow.LEND, tick=tick)


def test_boxes_of_the_box_table_and_of_the_ranked_boxes() -> None:
    chain = a_chain()
    table = box_table(
        chain, "SPX", EXPIRY, columns=(*BOX_COLUMNS, *LEG_QUOTE_COLUMNS), filters=BoxFilters()
    )
    boxes = BoxSpread.from_table(table.frame)
    assert [(box.kl, box.ks) for box in boxes] == [(6000, 6500), (6000, 7000), (6500, 7000)]
    assert [box.ask_cost for box in boxes] == pytest.approx(table.frame["ask_cost"].to_list())
    ranked = {"root": "SPX", "expiry": EXPIRY, "kl": 6000.0, "ks": 7000.0, "side": "lend"}
    assert BoxSpread.from_ranked(chain, ranked) == BoxSpread.from_chain(
        chain, "SPX", EXPIRY, 6000.0, 7000.0
    )
    with pytest.raises(ModelError, match="lack the columns ks"):
        BoxSpread.from_ranked(chain, {"root": "SPX", "expiry": EXPIRY, "kl": 6000.0})
