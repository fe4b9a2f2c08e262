from __future__ import annotations

import re
import signal
import socket
from typing import TYPE_CHECKING

import httpx2
import pytest

from live_box_spreads.dashboard.app import create_app, run_dashboard
from live_box_spreads.model.errors import ConfigError
from live_box_spreads.settings import load_settings
from tests.dashboard.market import chain_at
from tests.dashboard.server import running, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_box_spreads.settings import Settings

CLEAN_EXITS = {0, -signal.SIGINT}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com"])  # noqa: S104 # refused
def test_only_loopback_is_listened_on(settings: Settings, host: str) -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        run_dashboard(settings, host=host, port=0)


def test_a_port_in_use_is_named(settings: Settings, taken_port: int) -> None:
    with pytest.raises(ConfigError, match=f"port {taken_port}"):
        run_dashboard(settings, host="127.0.0.1", port=taken_port)


def test_the_app_has_a_page_for_an_empty_folder(settings: Settings) -> None:
    app = create_app(settings)
    assert app.title == "Live Box Spreads"
    assert app.layout is not None


def test_the_script_serves_a_page_that_asks_nobody_else(tmp_path: Path, free_port: int) -> None:
    folder = tmp_path / "snapshots"
    load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(folder)}).store().write(chain_at())
    with running(folder, free_port) as dashboard:
        assert dashboard.url == f"http://127.0.0.1:{free_port}/"
        page = httpx2.get(dashboard.url)
        assert page.status_code == 200
        links = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
        assert links
        assert all(link.startswith("/") for link in links)
        layout = httpx2.get(f"{dashboard.url}_dash-layout").text
        assert "SPXW" in layout
        assert "2026-09-18" in layout
        elsewhere = httpx2.get(dashboard.url, headers={"Host": "elsewhere.example"})
        assert elsewhere.status_code == 400
        dashboard.process.send_signal(signal.SIGINT)
        output, errors = dashboard.process.communicate(timeout=20)
    assert dashboard.process.returncode in CLEAN_EXITS
    assert "Traceback" not in output + errors


def test_the_script_says_a_port_in_use_in_one_line(tmp_path: Path, taken_port: int) -> None:
    process = start(tmp_path, taken_port)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith("dashboard: cannot listen on 127.0.0.1 port")
    assert errors.count("\n") == 1
