"""`python ingest.py` as section 1 of the documentation types it: a script in its own folder."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from live_box_spreads.stores.filter_states import read_states
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot

PACKAGE = Path(__file__).resolve().parents[2] / "live_box_spreads"
PATIENCE_SECS = 90.0

SMALL = """
feed: simulated
tickers: [XSP]
expiries_per_ticker: 2
strike_moneyness: [0.95, 1.05]
update_interval_seconds: 0.5
snapshot_storage: {folder: kept}
"""


def _ingest(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 # our own script
        [sys.executable, "ingest.py", *map(str, arguments)],
        cwd=PACKAGE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "my.yaml"
    file.write_text(SMALL, encoding="utf-8")
    return file


def test_the_package_folder_gives_way_to_its_parent_on_the_path() -> None:
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv[1]);"
        "runpy.run_path(sys.argv[1] + '/ingest.py');"
        "print(sys.path[0]); print(sys.argv[1] in sys.path)"
    )
    done = subprocess.run(  # noqa: S603 # our own code
        [sys.executable, "-c", code, str(PACKAGE)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [str(PACKAGE.parent), "False"]


def test_once_writes_one_snapshot_and_says_so(config: Path) -> None:
    with _ingest("--config", config) as process:
        out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 0, err
    (path,) = SnapshotStore(config.parent / "kept").paths()
    assert read_snapshot(path).roots == ["XSP"]
    assert len(out.splitlines()) == 1
    assert path.name in out
    assert err == ""


def test_it_says_first_what_begins_and_where_if_asked(config: Path) -> None:
    with _ingest("--announce", "--config", config) as process:
        out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 0, err
    assert err == f"taking one snapshot with the feed simulated into {config.parent / 'kept'}\n"
    assert len(out.splitlines()) == 1


def test_the_loop_goes_on_until_sigterm_and_ends_well(config: Path) -> None:
    with _ingest("--loop", "--config", config) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        rest, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 0, err
    names = [path.name for path in SnapshotStore(config.parent / "kept").paths()]
    reported = [line.split()[0] for line in (*lines, *rest.splitlines())]
    assert reported == names
    [states] = read_states(config.parent / "kept").values()
    assert states[-1].root == "XSP"
    assert states[-1].snapshots >= 1


def test_the_loop_serves_metrics_and_logs_as_json_where_asked(config: Path) -> None:
    options = ("--metrics-port", 0, "--verbose", "--json-logs")
    with _ingest("--loop", "--config", config, *options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        process.stdout.readline()  # a snapshot is written
        with urlopen(url) as answer:  # noqa: S310 # our own process on loopback
            metrics = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 0
    assert re.search(r"^boxes_snapshots_total [1-9]", metrics, re.MULTILINE)
    assert 'boxes_rest_calls_total{status="200"}' in metrics
    assert re.search(r'^boxes_contracts_quoted\{root="XSP"\} [1-9]', metrics, re.MULTILINE)
    events = [json.loads(line) for line in err.splitlines()]
    assert {"contracts_listed", "snapshot_written"} <= {event["event"] for event in events}
    assert all({"level", "timestamp"} <= set(event) for event in events)


def test_metrics_need_the_loop(config: Path) -> None:
    with _ingest("--config", config, "--metrics-port", 0) as process:
        _, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 2
    assert "--loop" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_snapshot_ends_without_a_trace(
    config: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_CLIENT_SECRET", "x")
    monkeypatch.setenv("TT_REFRESH_TOKEN", "x")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        text = SMALL.replace("simulated", "tastytrade") + f"tastytrade: {{base_url: '{url}'}}\n"
        config.write_text(text, encoding="utf-8")
        with _ingest("--config", config) as process:
            caller, _ = silent.accept()  # it waits for an answer that never comes
            with caller:
                process.send_signal(number)
                out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 130
    assert (out, err) == ("", "")
    assert SnapshotStore(config.parent / "kept").paths() == []


def test_missing_credentials_are_one_line(config: Path) -> None:
    config.write_text(SMALL.replace("simulated", "tastytrade"), encoding="utf-8")
    with _ingest("--config", config) as process:
        out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("ingest.py: ")
    assert err.count("\n") == 1
    assert "TT_CLIENT_SECRET" in err


def test_a_store_that_cannot_be_written_is_one_line(config: Path) -> None:
    (config.parent / "kept").write_text("a file in the way", encoding="utf-8")
    with _ingest("--loop", "--config", config) as process:
        out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("ingest.py: snapshot folder")
    assert err.count("\n") == 1


def test_a_second_collector_on_the_folder_says_so_and_stops(config: Path) -> None:
    store = SnapshotStore(config.parent / "kept")
    with store.lock(), _ingest("--loop", "--config", config) as process:
        _, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 1
    assert "another collector" in err
    assert err.count("\n") == 1
