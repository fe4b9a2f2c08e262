from __future__ import annotations

from datetime import UTC, date, datetime
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.table import BOX_COLUMNS, LEG_QUOTE_COLUMNS
from live_box_spreads.boxspread import BoxSpread
from live_box_spreads.model.errors import ChainError, NotALoanError, UnknownRootError
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis
from tests.books.by_desk import box_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.model.chain import Chain

ALL_LEGS = QualityRules(stale_after_secs=1e9, exclude=LegFlag.OK)


def test_the_box_of_the_method_page(example: Chain, expiry: date) -> None:
    # Costs by hand; rates from (1000 / cost) ** (365 / 390) - 1 with 40 decimal digits.
    [box] = box_table(example, "SPX", expiry).frame.to_dicts()
    assert box["ask_cost"] == pytest.approx(958.4, abs=1e-9)
    assert box["mid_cost"] == pytest.approx(957.65, abs=1e-9)
    assert box["bid_cost"] == pytest.approx(956.9, abs=1e-9)
    assert box["ask_rate"] == pytest.approx(0.040567596729505, abs=1e-12)
    assert box["mid_rate"] == pytest.approx(0.041330276289084, abs=1e-12)
    assert box["bid_rate"] == pytest.approx(0.042094113048209, abs=1e-12)
    assert box["tte_years"] == pytest.approx(390 / 365)
    facts = {
        "ticker": "SPX",
        "expiry": expiry,
        "snapshot_time": datetime(2026, 11, 24, 20, tzinfo=UTC),
        "kl": 6000.0,
        "ks": 7000.0,
        "width": 1000.0,
        "payoff": 1000.0,
        "mid_strike": 6500.0,
        "lend_borrow": 1,
        "spot_price": 6500.0,
        "moneyness_kl": 6000 / 6500,
        "moneyness_ks": 7000 / 6500,
        "moneyness_mid": 1.0,
        "call_kl_volume": 7,
        "put_kl_volume": 120,
        "call_ks_volume": 33,
        "put_ks_volume": 5,
        "min_leg_volume": 5,
        "total_leg_volume": 165,
        "call_kl_open_interest": 1000,
        "put_kl_open_interest": 2000,
        "call_ks_open_interest": 300,
        "put_ks_open_interest": 4000,
        "lend_size": 8.0,  # buys calls at kl (12), puts at ks (8); sells 9 and 13
        "borrow_size": 11.0,  # sells 11 and 17, buys 16 and 14
        "size": 8.0,
        "quality": 0,
    }
    assert {name: box[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("compounding", "ask_rate", "bid_rate"),
    [
        (Compounding.CONTINUOUS, 0.039766330363199, 0.041232258876604),
        (Compounding.SIMPLE, 0.040066777963272, 0.041576565351254),
        (Compounding.BOND_EQUIVALENT, 0.040164303902512, 0.041660219574461),
    ],
)
def test_each_compounding(
    example: Chain, expiry: date, compounding: Compounding, ask_rate: float, bid_rate: float
) -> None:
    [box] = box_table(example, "SPX", expiry, compounding=compounding).frame.to_dicts()
    assert box["ask_rate"] == pytest.approx(ask_rate, abs=1e-12)
    assert box["bid_rate"] == pytest.approx(bid_rate, abs=1e-12)


def test_expiry_instant_counts_to_the_opening_auction(example: Chain, expiry: date) -> None:
    # From 15:00 on 2026-11-24 to 09:30 on 2027-12-17: 387 days and 18.5 hours.
    [box] = box_table(example, "SPX", expiry, basis=TimeBasis.EXPIRY_INSTANT).frame.to_dicts()
    years = (387 + 18.5 / 24) / 365
    assert box["tte_years"] == pytest.approx(years)
    assert box["ask_rate"] == pytest.approx((1000 / 958.4) ** (1 / years) - 1, abs=1e-12)


def test_columns_and_types(example: Chain, expiry: date) -> None:
    frame = box_table(example, "SPX", expiry).frame
    assert frame.columns == BOX_COLUMNS
    design = (
        "ticker expiry snapshot_time kl ks width mid_strike tte_years payoff mid_cost bid_cost "
        "ask_cost mid_rate bid_rate ask_rate lend_borrow spot_price moneyness_kl moneyness_ks "
        "moneyness_mid call_kl_volume call_ks_volume put_kl_volume put_ks_volume"
    )
    assert frame.columns[:24] == design.split()
    integers = [name for name in frame.columns if name.endswith(("volume", "open_interest"))]
    assert {frame.schema[name] for name in integers} == {pl.Int64()}
    assert len(integers) == 10
    assert frame.schema["quality"] == pl.UInt8()
    assert frame.schema["lend_borrow"] == pl.Int8()


@pytest.mark.parametrize(
    "columns", [["mid_rate", "kl", "min_leg_volume"], ["ticker"], ["quality", "call_ks_bid"], []]
)
def test_a_table_of_few_columns_has_what_the_whole_one_has(
    random_chain: Callable[..., Chain], expiry: date, columns: list[str]
) -> None:
    chain = random_chain(9, 25)
    every = box_table(chain, "SPX", expiry, columns=BOX_COLUMNS + LEG_QUOTE_COLUMNS)
    few = box_table(chain, "SPX", expiry, columns=columns)
    assert few.frame.equals(every.frame.select(columns))
    assert few.removed == every.removed


def test_leg_quotes_round_trip_to_single_boxes(example: Chain, expiry: date) -> None:
    frame = box_table(example, "SPX", expiry, columns=BOX_COLUMNS + LEG_QUOTE_COLUMNS).frame
    assert frame.columns == BOX_COLUMNS + LEG_QUOTE_COLUMNS
    [box] = BoxSpread.from_table(frame)
    assert (box.put_kl.bid, box.put_kl.ask, box.put_kl.bid_size) == (180.0, 180.5, 13.0)
    assert box.ask_cost == pytest.approx(958.4, abs=1e-9)


def legs(call: tuple[float, float], put: tuple[float, float], strike: float) -> list[Any]:
    return [
        {"strike": strike, "right": right, "bid": bid, "ask": ask}
        for right, (bid, ask) in (("C", call), ("P", put))
    ]


def test_a_zero_bid_closes_one_side_only(make_chain: Callable[..., Chain], expiry: date) -> None:
    # The put at 90 has a zero bid: buying its synthetic (selling that put) is impossible.
    chain = make_chain(legs((12.0, 12.2), (0.0, 0.1), 90.0) + legs((3.0, 3.1), (1.0, 1.1), 100.0))
    [box] = box_table(chain, "SPX", expiry).frame.to_dicts()
    assert box["bid_cost"] == pytest.approx((12.0 - 0.1) - (3.1 - 1.0))
    assert isnan(box["ask_cost"])
    assert isnan(box["ask_rate"])
    assert isnan(box["mid_cost"])
    assert isnan(box["mid_rate"])
    assert box["bid_rate"] > 0
    assert box["lend_borrow"] == 0
    assert box["quality"] == LegFlag.ZERO_BID
    assert isnan(box["lend_size"])
    assert box["min_leg_volume"] is None
    assert box["total_leg_volume"] is None


def test_every_removed_pair_is_counted_under_one_reason(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    fair = [(strike, max(100.0 - strike, 0) + 5.0) for strike in (80.0, 90.0, 100.0, 110.0)]
    rows: list[Any] = []
    for strike, call in fair:
        put = call - (100.0 - strike)
        rows += legs((call - 0.1, call + 0.1), (put - 0.1, put + 0.1), strike)
    rows.append({"strike": 70.0, "right": "C", "bid": 30.0, "ask": 31.0})  # no put
    rows[-3]["bid"] = 99.0  # the call at 110 is crossed
    table = box_table(make_chain(rows), "SPX", expiry, filters=BoxFilters(max_strike_gap=10.0))
    # Five strikes make ten pairs; four of them with 70, three more with 110, then 80/100 is wide.
    assert table.removed == {
        "only a call or only a put": 4,
        "leg is crossed": 3,
        "wider than max_strike_gap": 1,
    }
    assert table.frame.select("kl", "ks").rows() == [(80.0, 90.0), (90.0, 100.0)]


def test_expired_boxes_stay_without_rates(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    late = make_chain(
        example.quotes.to_dicts(), snapshot_time=datetime(2027, 12, 18, 20, tzinfo=UTC)
    )
    table = box_table(late, "SPX", expiry, filters=BoxFilters(max_abs_rate=0.1))
    [box] = table.frame.to_dicts()
    assert box["ask_cost"] == pytest.approx(958.4, abs=1e-9)
    assert all(isnan(box[name]) for name in ("tte_years", "ask_rate", "mid_rate", "bid_rate"))


def test_without_a_spot_there_is_no_moneyness(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    [box] = box_table(
        make_chain(example.quotes.to_dicts(), spot={}), "SPX", expiry
    ).frame.to_dicts()
    assert isnan(box["spot_price"])
    assert isnan(box["moneyness_mid"])


def test_unknown_roots_and_expiries_name_what_is_there(example: Chain, expiry: date) -> None:
    with pytest.raises(ChainError, match=r"no root 'SPQ'; it has SPX. Did you mean 'SPX'\?"):
        box_table(example, "SPQ", expiry)
    with pytest.raises(ChainError, match=r"SPX has no expiry 2027-12-18; .* 2027-12-17"):
        box_table(example, "SPX", date(2027, 12, 18))


@pytest.mark.parametrize(("root", "error"), [("SPY", NotALoanError), ("ACME", UnknownRootError)])
def test_boxes_that_may_be_no_loan_are_shown_on_request_only(
    make_chain: Callable[..., Chain],
    example: Chain,
    expiry: date,
    root: str,
    error: type[Exception],
) -> None:
    chain = make_chain([{**row, "root": root} for row in example.quotes.to_dicts()])
    with pytest.raises(error, match=root):
        box_table(chain, root, expiry)
    assert len(box_table(chain, root, expiry, allow_american=True).frame) == 1


def test_one_expiry_has_one_settlement(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    rows = example.quotes.to_dicts()
    rows[0]["settlement"] = "PM"
    with pytest.raises(ChainError, match=r"\['AM', 'PM'\]"):
        box_table(make_chain(rows), "SPX", expiry)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("basis", list(TimeBasis))
def test_agrees_with_single_boxes(
    random_chain: Callable[..., Chain], expiry: date, seed: int, basis: TimeBasis
) -> None:
    chain = random_chain(seed, 24)
    compounding = list(Compounding)[seed % 4]
    table = box_table(chain, "SPX", expiry, basis=basis, compounding=compounding, rules=ALL_LEGS)
    twins = [
        box
        for box in BoxSpread.all_from_chain(chain, "SPX", expiry)
        if not (isnan(box.bid_cost) and isnan(box.ask_cost))
    ]
    assert [(box.kl, box.ks) for box in twins] == table.frame.select("kl", "ks").rows()
    assert len(twins) > 100
    for side in ("bid", "mid", "ask"):
        costs = [getattr(box, f"{side}_cost") for box in twins]
        rates = [box.rate(side, compounding, basis) for box in twins]
        np.testing.assert_allclose(table.frame[f"{side}_cost"], costs, rtol=0, atol=1e-9)
        np.testing.assert_allclose(table.frame[f"{side}_rate"], rates, rtol=1e-11, atol=1e-12)
    for name in ("lend", "borrow"):
        cost = "ask_cost" if name == "lend" else "bid_cost"
        sizes = [
            nan if isnan(getattr(box, cost)) else getattr(box, f"{name}_size") for box in twins
        ]
        np.testing.assert_array_equal(table.frame[f"{name}_size"], sizes)
    assert table.frame["lend_borrow"].to_list() == [int(box.direction) for box in twins]


@pytest.mark.parametrize("seed", range(3))
def test_leg_columns_come_from_their_legs(
    random_chain: Callable[..., Chain], expiry: date, seed: int
) -> None:
    chain = random_chain(seed, 16)
    quotes = {(row["strike"], row["right"]): row for row in chain.quotes.iter_rows(named=True)}
    frame = box_table(chain, "SPX", expiry, columns=BOX_COLUMNS + LEG_QUOTE_COLUMNS).frame
    assert len(frame) > 20
    for box in frame.iter_rows(named=True):
        volumes = []
        for right in ("call", "put"):
            for strike in ("kl", "ks"):
                quote = quotes[box[strike], right[0].upper()]
                volumes.append(quote["volume"])
                for name in ("volume", "open_interest"):
                    assert box[f"{right}_{strike}_{name}"] == quote[name]
                for name in ("bid", "ask", "bid_size", "ask_size"):
                    found, wanted = box[f"{right}_{strike}_{name}"], quote[name]
                    assert found == wanted or (isnan(found) and isnan(wanted))
        known = None not in volumes
        assert box["min_leg_volume"] == (min(volumes) if known else None)
        assert box["total_leg_volume"] == (sum(volumes) if known else None)
