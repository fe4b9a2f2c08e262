from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan

import polars as pl
import pytest

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.quality import (
    LegFlag,
    QualityRules,
    describe_flags,
    leg_flags,
)

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)
RULES = QualityRules(stale_after_secs=60, max_half_spread_points=2)


def one_flag(bid: float | None, ask: float | None, age_secs: float | None = 0) -> LegFlag:
    quoted = None if age_secs is None else NOW - timedelta(seconds=age_secs)
    frame = pl.DataFrame(
        {"bid": [bid], "ask": [ask], "quote_time": [quoted]},
        schema={"bid": pl.Float64, "ask": pl.Float64, "quote_time": pl.Datetime("ms", "UTC")},
    )
    return LegFlag(int(leg_flags(frame, NOW, RULES)[0]))


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        (10.0, 11.0, LegFlag.OK),
        (10.0, 10.0, LegFlag.OK),  # locked
        (nan, 11.0, LegFlag.NO_BID),
        (None, 11.0, LegFlag.NO_BID),
        (0.0, 0.05, LegFlag.ZERO_BID),
        (10.0, nan, LegFlag.NO_ASK),
        (0.0, 0.0, LegFlag.ZERO_BID | LegFlag.NO_ASK),
        (nan, nan, LegFlag.NO_BID | LegFlag.NO_ASK),
        (inf, inf, LegFlag.NO_BID | LegFlag.NO_ASK),
        (11.0, 10.0, LegFlag.CROSSED),
        (10.0, 14.0, LegFlag.OK),  # a half-spread of exactly the limit
        (10.0, 14.5, LegFlag.WIDE),
        (0.0, 5.0, LegFlag.ZERO_BID | LegFlag.WIDE),
    ],
)
def test_a_quote_is_flagged_for_what_is_wrong(
    bid: float | None, ask: float | None, expected: LegFlag
) -> None:
    assert one_flag(bid, ask) == expected


def test_a_quote_is_stale_beyond_the_limit_and_never_without_a_time() -> None:
    assert one_flag(10.0, 11.0, 60) == LegFlag.OK
    assert one_flag(10.0, 11.0, 60.5) == LegFlag.STALE
    assert one_flag(11.0, 10.0, 3600) == LegFlag.CROSSED | LegFlag.STALE
    assert one_flag(10.0, 11.0, None) == LegFlag.OK


def test_flags_are_named() -> None:
    frame = pl.DataFrame(
        {"bid": [0.0, 11.0, 0.0], "ask": [9.0, 10.0, 0.05], "quote_time": [NOW] * 3}
    )
    flags = leg_flags(frame, NOW, RULES)
    assert flags.dtype.name == "uint8"
    assert [describe_flags(int(flag)) for flag in flags] == ["zero_bid|wide", "crossed", "zero_bid"]
    assert describe_flags(0) == "ok"


def test_mistakes_are_refused() -> None:
    with pytest.raises(ModelError, match="bits 64"):
        describe_flags(64)
    with pytest.raises(ModelError, match="stale_after_secs is -1"):
        QualityRules(stale_after_secs=-1)
    with pytest.raises(ModelError, match="no time zone"):
        leg_flags(pl.DataFrame(), NOW.replace(tzinfo=None), RULES)


def test_crossed_and_stale_are_left_out_by_default() -> None:
    assert QualityRules().exclude == LegFlag.CROSSED | LegFlag.STALE
