"""Running `boxes` in this process, and one small snapshot whose boxes are computed by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from live_box_spreads.cli.main import app, run
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.settings import env_files
from live_box_spreads.stores.snapshots import SnapshotStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_other_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings and credentials of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith(("BOX_", "TT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(env_files, "dotenv_folders", lambda: [tmp_path])
    monkeypatch.chdir(tmp_path)


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


Boxes = Callable[..., Result]


@pytest.fixture
def boxes(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Boxes:
    """Run `boxes` with these arguments and say how it ended."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def run_boxes(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as ended:
            run(app, "boxes", [str(argument) for argument in arguments])
        printed = capfd.readouterr()
        return Result(int(ended.value.code or 0), printed.out, printed.err)

    return run_boxes


SNAPSHOT_TIME = datetime(2025, 9, 4, 18, 15, tzinfo=UTC)
EXPIRY = date(2025, 12, 19)

# strike, right, bid, ask; the put at 6200 has a zero bid
QUOTES = [
    (6000.0, "C", 600.0, 602.0),
    (6000.0, "P", 100.0, 101.0),
    (6100.0, "C", 520.0, 522.0),
    (6100.0, "P", 119.0, 120.0),
    (6200.0, "C", 440.0, 442.0),
    (6200.0, "P", 0.0, 138.0),
]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """Three strikes of one SPX expiry, by hand."""
    rows = pl.DataFrame(
        {
            "root": "SPX",
            "underlying": "SPX",
            "expiry": EXPIRY,
            "settlement": "AM",
            "strike": [strike for strike, *_ in QUOTES],
            "right": [right for _, right, *_ in QUOTES],
            "bid": [bid for *_, bid, _ in QUOTES],
            "ask": [ask for *_, ask in QUOTES],
            "bid_size": 10.0,
            "ask_size": 7.0,
            "volume": [5, 6, 7, 8, 9, None],
        }
    )
    chain = Chain.build(
        rows,
        snapshot_time=SNAPSHOT_TIME,
        feed="by hand",
        timeliness=Timeliness.REPLAY,
        spot={"SPX": 6500.0},
    )
    return SnapshotStore(tmp_path / "store").write(chain)
