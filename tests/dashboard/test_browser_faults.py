"""What a person sees when something is wrong: a server that is gone, a clock, another site."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dashboard import ids
from live_box_spreads.settings import load_settings
from tests.dashboard.browser import Watched, free_port
from tests.dashboard.market import NOON, chain_at
from tests.dashboard.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from live_box_spreads.stores.snapshots import SnapshotStore

pytestmark = pytest.mark.browser

BUTTONS = {
    *("Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes", "Autoscale"),
    *("Orbital rotation", "Turntable rotation", "Reset camera to default"),
    *("Toggle Spike Lines", "Show closest data on hover", "Compare data on hover"),
}


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    folder = tmp_path / "collected"
    return load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(folder)}).store()


@pytest.fixture
def page(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    yield Watched(context.new_page())
    context.close()


def test_a_server_that_is_gone_is_said_and_the_page_goes_on_when_it_is_back(
    page: Watched, store: SnapshotStore
) -> None:
    store.write(chain_at(NOON))
    port = free_port()
    with running(store.folder, port, BOX_UPDATE_INTERVAL_SECONDS="1") as dashboard:
        page.page.goto(dashboard.url)
        page.until_painted()
        assert page.text(ids.SERVER) == ""
        assert page.faults == []
        page.page.set_default_timeout(120_000)  # a lost answer is waited for, and a second one
        dashboard.process.send_signal(signal.SIGSTOP)  # there, and silent
        page.expect_text(ids.SERVER, "server has not answered since")
        dashboard.process.send_signal(signal.SIGCONT)
        page.expect_text(ids.SERVER, "^$")
    page.expect_text(ids.SERVER, "server has not answered since")
    later = NOON + timedelta(minutes=1)
    store.write(chain_at(later))
    with running(store.folder, port, BOX_UPDATE_INTERVAL_SECONDS="1"):
        page.expect_text(ids.SERVER, "^$")
        page.expect_text(ids.SNAPSHOT_LABEL, f"{later:%H:%M:%S} UTC")


def test_a_snapshot_of_the_future_is_no_fresh_one(page: Watched, store: SnapshotStore) -> None:
    store.write(chain_at(datetime.now(UTC) + timedelta(hours=3)))
    with running(store.folder, free_port()) as dashboard:
        page.page.goto(dashboard.url)
        page.expect_text(ids.AGE, r"ahead of this machine's clock by (179 min|3 h|2 h)")
        page.keep("1280_light_future")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shared")
    load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(folder)}).store().write(chain_at(NOON))
    with running(folder, free_port()) as dashboard:
        yield dashboard.url


def test_no_control_leads_elsewhere(page: Watched, url: str) -> None:
    page.page.goto(url)
    page.until_painted()
    titles = page.page.evaluate(
        "() => [...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)"
    )
    assert titles
    assert set(titles) <= BUTTONS
    links = page.page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    assert [link for link in links if not link.startswith(url)] == []


def test_a_page_of_another_site_cannot_frame_the_dashboard(page: Watched, url: str) -> None:
    page.page.set_content(f"<iframe src='{url}'></iframe>")
    page.page.wait_for_timeout(2_000)
    assert any("frame" in fault for fault in page.faults)
