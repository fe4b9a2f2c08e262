"""A folder and a configuration of version 0.1.0 go on after the upgrade."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest

from live_box_spreads.dashboard.choices import BoxOptions
from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.settings import load_settings, make_feed
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.dashboard.market import NOON, chain_at
from tests.stores.old_files import WRITTEN_BY_0_1_0, old_parquet

CONFIG = Path(__file__).parent / "config_of_0_1_0.yaml"
CHECKOUT = Path(__file__).resolve().parents[2]
TIMES = [NOON + timedelta(minutes=minutes) for minutes in (0, 5, 10)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The packaged configuration of 0.1.0 beside a folder of three snapshots that it wrote."""
    file = Path(copy(CONFIG, tmp_path / "config.yaml"))
    folder = load_settings(file, {}).snapshot_folder
    assert folder.is_relative_to(tmp_path)
    folder.mkdir(parents=True)
    for time in TIMES:
        (folder / f"snapshot_{time:%Y%m%d_%H%M%S}.parquet").write_bytes(old_parquet(chain_at(time)))
    return file


def test_the_configuration_is_taken_unchanged(config: Path) -> None:
    settings = load_settings(config, {})
    assert (settings.feed, settings.tickers[0]) == ("simulated", "SPX")
    assert make_feed(settings, {}).name == "simulated"


def test_its_snapshots_are_read_listed_and_removed_in_order(config: Path) -> None:
    store = SnapshotStore(load_settings(config, {}).snapshot_folder, retain=2)
    before = store.paths()
    assert [read_snapshot(path).snapshot_time for path in before] == TIMES
    new = store.write(chain_at(TIMES[-1] + timedelta(minutes=5)))
    assert store.prune() == before[:2]
    assert store.paths() == [before[2], new]


def test_real_files_of_the_first_version_are_in_the_list(config: Path) -> None:
    folder = load_settings(config, {}).snapshot_folder
    for path in WRITTEN_BY_0_1_0.iterdir():
        copy(path, folder / path.name)
    chains = [read_snapshot(path) for path in SnapshotStore(folder).paths()]
    assert len(chains) == len(TIMES) + len(list(WRITTEN_BY_0_1_0.iterdir()))
    assert [chain.snapshot_time for chain in chains] == sorted(c.snapshot_time for c in chains)


def test_the_dashboard_computes_from_them(config: Path) -> None:
    view = MarketView(load_settings(config, {}))
    market = view.snapshots.newest().market
    assert market is not None
    assert market.chain.snapshot_time == TIMES[-1]
    curve = view.desk(market, BoxOptions()).curve("SPXW")
    assert curve["fair_rate"].is_finite().all()


def test_the_curve_is_printed(config: Path) -> None:
    path = SnapshotStore(load_settings(config, {}).snapshot_folder).paths()[-1]
    command = ["curve", str(path), "--config", str(config), "--root", "SPXW", "--format", "csv"]
    ours = ("BOX_", "TT_")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "live_box_spreads", *command],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith(ours)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert all(float(row["fair_rate"]) == pytest.approx(0.04, abs=0.001) for row in rows)
    assert rows
