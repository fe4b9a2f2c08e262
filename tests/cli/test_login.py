"""Commands against an exchange that lets them in, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.chain import Timeliness
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.exchange_fixture import exchange_fixture

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.simulator.exchange import SimulatedExchange
    from tests.cli.conftest import Boxes

WRONG = "wrong-and-secret"


exchange = exchange_fixture("module", roots=("XSP",))


@pytest.fixture
def config(exchange: SimulatedExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TT_CLIENT_SECRET", DEMO_CLIENT_SECRET)
    monkeypatch.setenv("TT_REFRESH_TOKEN", DEMO_REFRESH_TOKEN)
    file = tmp_path / "my.yaml"
    file.write_text(
        "feed: tastytrade\ntickers: [XSP]\nexpiries_per_ticker: 1\ncollection: poll\n"
        f"tastytrade: {{base_url: '{exchange.base_url}'}}\nsnapshot_storage: {{folder: kept}}\n",
        encoding="utf-8",
    )
    return file


def test_doctor_finds_all_well(boxes: Boxes, config: Path) -> None:
    result = boxes("doctor", "--config", config)
    assert result.status == 0, result.out
    assert "login: ok" in result.out
    assert "entitlement: ok: live quotes, level 'api'" in result.out
    assert "clock: ok" in result.out
    assert DEMO_CLIENT_SECRET not in result.out + result.err


def test_snapshot_writes_what_it_says(boxes: Boxes, config: Path) -> None:
    result = boxes("snapshot", "--config", config)
    assert result.status == 0, result.err
    (path,) = SnapshotStore(config.parent / "kept").paths()
    assert path.name in result.out
    assert read_snapshot(path).timeliness is Timeliness.SIMULATED


@pytest.mark.parametrize("command", ["doctor", "snapshot"])
def test_refused_credentials_are_told_and_not_shown(
    boxes: Boxes, config: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("TT_REFRESH_TOKEN", WRONG)
    result = boxes(command, "--config", config)
    assert result.status == 1
    (line,) = [
        line
        for line in (result.out + result.err).splitlines()
        if line.startswith(("boxes: ", "login: failed"))
    ]
    assert "TT_CLIENT_SECRET and TT_REFRESH_TOKEN" in line
    assert WRONG not in result.out + result.err
    assert SnapshotStore(config.parent / "kept").paths() == []
