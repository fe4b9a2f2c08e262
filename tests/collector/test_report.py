from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.collector.report import SnapshotReport, quoted_by_root
from live_box_spreads.feeds.base import Update
from live_box_spreads.model.chain import Timeliness
from tests.collector.scripted import contracts_of, quotes

NOON = datetime(2026, 11, 24, 17, 0, 5, tzinfo=UTC)
FOLDER = Path("snapshots")


def test_a_good_round_in_one_line() -> None:
    report = SnapshotReport(
        path=FOLDER / "snapshot_20261124_170005.parquet",
        snapshot_time=NOON,
        contracts=12_400,
        quoted=12_345,
        by_root={"SPX": 10_345, "SPXW": 2_000},
        duration_secs=3.14,
        origin="delayed cboe",
    )
    assert report.summary() == (
        "snapshot_20261124_170005.parquet  delayed cboe  "
        "12,400 contracts, 12,345 quoted (SPX 10,345 · SPXW 2,000)  3.1 s"
    )


def test_all_that_can_be_said_of_a_round() -> None:
    report = SnapshotReport(
        path=FOLDER / "snapshot_20261124_170005.parquet",
        snapshot_time=NOON,
        contracts=2,
        quoted=2,
        by_root={"SPX": 2},
        failures={"SPY": "American style", "stream": "link down since 16:59:00 UTC"},
        duration_secs=61.0,
        overrun_secs=1.04,
        pruned=(FOLDER / "a.parquet", FOLDER / "b.parquet"),
        rejected={"strike that is no number": 1_200},
        never_quoted_secs={"NDX": 75.0},
        status="subscribed 9,500 of 9,943, 9,499 of 9,600 quotes among them, on 2 of 2 connections",
    )
    assert report.summary() == (
        "snapshot_20261124_170005.parquet  2 contracts, 2 quoted (SPX 2)  61.0 s  "
        "1,200 rejected: strike that is no number  pruned 2  "
        "overran its interval by 1.0 s  NDX asked for 75 s ago and never quoted  "
        "subscribed 9,500 of 9,943, 9,499 of 9,600 quotes among them, on 2 of 2 connections  "
        "SPY failed: American style  "
        "stream failed: link down since 16:59:00 UTC"
    )


def test_a_failed_round_says_when_and_why() -> None:
    report = SnapshotReport(path=None, snapshot_time=NOON, failures={"round": "no route to host"})
    assert report.summary() == ("no snapshot at 17:00:05 UTC  round failed: no route to host")


def test_quoted_contracts_are_counted_by_root_and_an_unquoted_root_counts_zero() -> None:
    book = LiveBook(contracts_of("SPX", "SPXW"))
    book.apply(Update(NOON, quotes=quotes(0)))
    chain = book.snapshot(NOON, "test", Timeliness.REPLAY)
    assert quoted_by_root(chain) == {"SPX": 1, "SPXW": 0}
