"""Filtered curves kept beside snapshots: by a collector, after a restart, and for readers."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from benchmarks.accuracy.simulated import chain_of
from live_box_spreads.books.conventions import Conventions
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.kernels import KINKED
from live_box_spreads.collector.events import Round, Snapshot
from live_box_spreads.model.errors import StoreError
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.settlement import premium_date
from live_box_spreads.service.filtered_curves import (
    FilteredCurves,
    curves_at,
    replayed,
    states_beside,
    take,
)
from live_box_spreads.simulator.market.conditions import lagging
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.stores.filter_states import (
    FILE_NAME,
    STATES_KEPT,
    States,
    read_states,
    write_states,
)
from live_box_spreads.stores.snapshots import SnapshotStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.model.chain import Chain

OPENED = datetime(2026, 11, 24, 15, tzinfo=UTC)
RULES = QualityRules()
ROOTS = ["SPX", "SPXW"]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    KINKED.load()
    yield
    KINKED.unload()


@pytest.fixture(scope="module")
def chains() -> list[Chain]:
    market = Market(OPENED, seed=7, roots=tuple(ROOTS), conditions=lagging(1.0))
    found = []
    for minute in (0, 10, 20, 30, 40):
        market.advance(OPENED + timedelta(minutes=minute))
        found.append(chain_of(market))
    return found


def snapshot(chain: Chain, path: Path, report: SnapshotReport | None = None) -> Snapshot:
    return Snapshot(path, chain, report)  # type: ignore[arg-type] # nobody reads it here


def states_of(chains: list[Chain]) -> States:
    states: States = {}
    for chain in chains:
        take(states, chain, RULES)
    return states


def test_a_restart_goes_on_to_the_bit(chains: list[Chain], tmp_path: Path) -> None:
    whole = states_of(chains)
    for chain in chains:  # a new process for each snapshot
        FilteredCurves(tmp_path, RULES).receive(snapshot(chain, tmp_path))
    read = read_states(tmp_path)
    assert sorted(read) == ROOTS
    for root in ROOTS:
        assert len(read[root]) == STATES_KEPT
        for kept, state in zip(read[root], whole[root], strict=True):
            np.testing.assert_array_equal(kept.mean, state.mean)
            np.testing.assert_array_equal(kept.covariance, state.covariance)
            assert kept.scales == state.scales
            assert kept.payment_dates == state.payment_dates
            assert kept.quoted_at == state.quoted_at
            assert (kept.snapshots, kept.information) == (state.snapshots, state.information)


def test_the_file_stays_small(chains: list[Chain], tmp_path: Path) -> None:
    write_states(tmp_path, states_of(chains))
    assert (tmp_path / FILE_NAME).stat().st_size < 200_000
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_readers_and_the_collector_come_to_the_same_numbers(chains: list[Chain]) -> None:
    before, after = states_of(chains[:4]), states_of(chains)
    ahead, behind = curves_at(after, Desk(chains[4])), curves_at(before, Desk(chains[4]))
    dates = [ahead["SPX"].premium_date + timedelta(days=day) for day in (30, 365)]
    for root in ROOTS:
        assert ahead[root].rates(dates).equals(behind[root].rates(dates))
    assert len(before["SPX"]) == STATES_KEPT  # a reader changes nothing
    assert before["SPX"][-1].quoted_at == chains[3].snapshot_time


def test_a_snapshot_from_before_all_states_has_no_filtered_rates(chains: list[Chain]) -> None:
    assert curves_at(states_of(chains), Desk(chains[0])) == {}


def silent(chain: Chain, days: int) -> Chain:
    """Return a later snapshot of the same contracts, of which none has a bid."""
    quotes = chain.quotes.with_columns(bid=pl.lit(float("nan")))
    return replace(chain, quotes=quotes, snapshot_time=chain.snapshot_time + timedelta(days=days))


def test_a_snapshot_that_tells_nothing_has_the_rates_of_before_on_its_own_dates(
    chains: list[Chain],
) -> None:
    states = states_of(chains)
    last = curves_at(states, Desk(chains[4]))["SPX"]
    later = silent(chains[4], 7)
    found = Desk(later, Conventions(filtered=curves_at(states, Desk(later)))).curve("SPX")
    assert found["fair_rate"].is_nan().all()
    seen = found.filter(pl.col("days") > 20, pl.col("days") < 700)
    day = premium_date(later.snapshot_time)
    dates = seen["payment_date"].to_list()
    forwards = [last.forward_rates([day, each])["rate"][0] for each in dates]
    np.testing.assert_allclose(seen["filtered_rate"], forwards, atol=3e-5)  # knots are straight
    assert (seen["filtered_std_error_bps"] > last.rates(dates)["std_error_bps"]).all()
    take(states, later, RULES)
    assert states["SPX"][-1].quoted_at == chains[4].snapshot_time


def test_nothing_is_said_of_rates_after_too_long_a_silence(chains: list[Chain]) -> None:
    states = states_of(chains)
    assert sorted(curves_at(states, Desk(silent(chains[4], 45)))) == ROOTS
    assert curves_at(states, Desk(silent(chains[4], 46))) == {}


def test_a_replay_of_the_folder_gives_what_a_collector_kept(
    chains: list[Chain], tmp_path: Path
) -> None:
    store = SnapshotStore(tmp_path)
    paths = [store.write(chain) for chain in chains]
    (tmp_path / "snapshot_20261124_145959.parquet").write_bytes(b"no snapshot")
    done: list[tuple[int, int]] = []
    states, problems = replayed(paths[3], RULES, lambda *step: done.append(step))
    assert len(problems) == 1
    assert done[-1] == (4, 5)
    kept = states_of(chains[:4])
    for root in ROOTS:
        np.testing.assert_allclose(states[root][-1].mean, kept[root][-1].mean, atol=1e-9)


def test_other_events_change_nothing(tmp_path: Path) -> None:
    curves = FilteredCurves(tmp_path, RULES)
    curves.receive(Round(None))  # type: ignore[arg-type]
    assert curves.states == {}
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE_NAME)
    assert states_beside(tmp_path) == (
        {},
        [f"{tmp_path / FILE_NAME} cannot be read: it is a pipe or socket, not a file; delete it"],
    )


def damaged(text: str, **changes: object) -> str:
    whole = json.loads(text)
    whole["states"][0] |= changes
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[:-9], "damaged"),
        (lambda text: text.replace('"version":1', '"version":2'), "version 2, not 1"),
        (lambda text: damaged(text, mean=[0.04]), "has 1 forwards, not 42"),
        (lambda text: damaged(text, scales=[[-1.0] * 8]), "below zero"),
        (lambda text: damaged(text, quoted_at="2026-11-24T15:00:00"), "no time zone"),
        (lambda text: damaged(text, surprise=1), "damaged"),
        (lambda text: text + " " * 20_000_000, "larger than 20 MB"),
    ],
)
def test_a_damaged_file_is_named_and_the_filter_begins_anew(
    damage: object, says: str, chains: list[Chain], tmp_path: Path
) -> None:
    write_states(tmp_path, states_of(chains[:1]))
    path = tmp_path / FILE_NAME
    assert callable(damage)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(StoreError, match=says):
        read_states(tmp_path)
    states, problems = states_beside(tmp_path)
    assert (states, len(problems)) == ({}, 1)
    again = FilteredCurves(tmp_path, RULES)
    again.receive(snapshot(chains[0], tmp_path))
    assert sorted(read_states(tmp_path)) == ROOTS
