"""One answer draws the page: from one snapshot, only what has changed, whatever fails."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live_box_spreads.dashboard import ids, panels, parts
from live_box_spreads.dashboard.app import create_app
from live_box_spreads.model.errors import ModelError
from live_box_spreads.settings import load_settings
from tests.dashboard.dash_client import CONTROLS, DashClient
from tests.dashboard.market import NOON, chain_at

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.settings import Settings
    from live_box_spreads.stores.snapshots import SnapshotStore

PANELS = (*ids.FIGURES, ids.RANKING)
STRIKES = [4000.0, 4500.0, 4800.0, 5000.0, 5200.0, 5500.0, 6000.0]


@pytest.fixture
def store(settings: Settings) -> SnapshotStore:
    return settings.store()


def write(store: SnapshotStore, *, minutes: float = 0) -> Path:
    return store.write(chain_at(NOON + timedelta(minutes=minutes), strikes=STRIKES))


def page(settings: Settings) -> DashClient:
    return DashClient(create_app(settings))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> DashClient:
    """Give one page on two snapshots, for tests that change only its controls."""
    folder = tmp_path_factory.mktemp("two")
    settings = load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(folder)})
    write(settings.store())
    write(settings.store(), minutes=1)
    return page(settings)


def test_all_parts_come_in_one_answer_and_name_one_snapshot(
    settings: Settings, store: SnapshotStore
) -> None:
    write(store)
    sent = page(settings).refresh()
    assert sent[ids.SNAPSHOT_LABEL]["children"] == "04 Sep 2025 18:15:00 UTC"
    for panel in ids.FIGURES:
        assert sent[panel]["figure"]["data"], panel
    assert sent[ids.GRID]["rowData"]
    assert sent[ids.TILES]["children"]


def test_what_has_not_changed_is_not_sent_again(settings: Settings, store: SnapshotStore) -> None:
    write(store)
    browser = page(settings)
    browser.refresh()
    browser.values[ids.SIDE] = "borrow"
    sent = browser.refresh(f"{ids.SIDE}.value")
    assert "rowData" in sent[ids.GRID]
    assert not set(sent) & {*ids.FIGURES, ids.TILES, ids.SNAPSHOT_LABEL}


def test_a_page_draws_the_snapshot_that_it_was_told_and_not_a_newer_one(
    settings: Settings, store: SnapshotStore
) -> None:
    write(store)
    browser = page(settings)
    write(store, minutes=1)
    first = browser.refresh()
    assert first[ids.SNAPSHOT_LABEL]["children"] == "04 Sep 2025 18:15:00 UTC"
    browser.poll()
    second = browser.refresh()
    assert second[ids.SNAPSHOT_LABEL]["children"] == "04 Sep 2025 18:16:00 UTC"
    for panel in ids.FIGURES:
        assert "figure" in second[panel], panel


def test_the_poll_waits_until_the_page_shows_what_it_was_told(
    settings: Settings, store: SnapshotStore
) -> None:
    write(store)
    browser = page(settings)
    write(store, minutes=1)
    assert browser.poll() == {}, "the page has not drawn the first one yet"
    browser.refresh()
    told = browser.poll()[ids.VERSION]["data"]["snapshot"]
    assert told.startswith("snapshot_20250904_181600.parquet@")


def test_a_page_whose_answer_was_lost_is_told_again(
    settings: Settings, store: SnapshotStore
) -> None:
    write(store)
    browser = page(settings)
    before = browser.values[ids.VERSION]
    browser.values[ids.VERSION] = {**before, "published": before["published"] - 60}
    again = browser.poll()[ids.VERSION]["data"]
    assert again["snapshot"] == before["snapshot"]
    assert again["published"] >= before["published"]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("no"), ModelError("a value"), pl.exceptions.PanicException("gone")]
)
def test_a_part_that_fails_says_so_in_its_place_and_the_others_are_drawn(
    settings: Settings,
    store: SnapshotStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
) -> None:
    write(store)
    browser = page(settings)
    browser.refresh()
    draw = panels.content

    def fail(view: Any, market: Any, panel: str, choices: Any) -> Any:
        if panel == ids.SKEW:
            raise error
        return draw(view, market, panel, choices)

    monkeypatch.setattr(panels, "content", fail)
    for minutes in (1, 2, 3):
        write(store, minutes=minutes)
        browser.poll()
        sent = browser.refresh()
        assert sent[ids.SKEW]["figure"]["data"] == [], "no older picture stays"
        assert sent[ids.message(ids.SKEW)]["children"].startswith("This cannot be drawn: ")
        assert sent[ids.TERM_STRUCTURE]["figure"]["data"]
        assert sent[ids.SNAPSHOT_LABEL]["children"] == f"04 Sep 2025 18:1{5 + minutes}:00 UTC"
    logged = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(logged) == 1, "one entry a kind"
    assert len(logged[0].getMessage()) < 3_000


def test_a_part_that_failed_is_drawn_once_it_can_be(
    settings: Settings, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store)
    browser = page(settings)
    with monkeypatch.context() as broken:
        broken.setattr(panels, "content", None)
        assert browser.refresh()[ids.SKEW]["figure"]["data"] == []
    assert browser.refresh(f"{ids.SIDE}.value")[ids.SKEW]["figure"]["data"]


@pytest.mark.parametrize("part", parts.PARTS, ids=lambda part: part.name)
def test_every_part_can_say_why_it_failed(part: parts.Part) -> None:
    told = part.failed("the reason")
    assert set(told) == set(part.outputs)
    assert "the reason" in str(told)


def test_a_snapshot_that_is_gone_is_said_in_every_panel(
    settings: Settings, store: SnapshotStore
) -> None:
    path = write(store)
    version = page(settings).values[ids.VERSION]
    path.unlink()
    browser = page(settings)  # of a server that never read the file
    browser.values[ids.VERSION] = version
    sent = browser.refresh()
    for panel in PANELS:
        assert f"{path.name} is gone" in sent[ids.message(panel)]["children"], panel
    write(store, minutes=1)
    browser.poll()
    assert browser.refresh()[ids.message(ids.SKEW)]["children"] == ""


def test_a_snapshot_that_is_shown_can_be_worked_with_when_its_file_is_gone(
    settings: Settings, store: SnapshotStore
) -> None:
    path = write(store)
    browser = page(settings)
    browser.refresh()
    path.unlink()
    browser.values[ids.COMPOUNDING] = "simple"
    sent = browser.refresh(f"{ids.COMPOUNDING}.value")
    assert sent[ids.SKEW]["figure"]["data"]


def test_a_file_replaced_under_its_name_is_another_snapshot(
    settings: Settings, store: SnapshotStore
) -> None:
    path = write(store)
    browser = page(settings)
    first = browser.refresh()
    path.unlink()
    fewer = chain_at(NOON, strikes=STRIKES[1:-1])
    assert store.write(fewer) == path
    browser.poll()
    second = browser.refresh()
    assert second[ids.CONTRACTS]["children"] == f"{len(fewer.quotes):,}"
    assert second[ids.BOXES]["children"] != first[ids.BOXES]["children"]
    for panel in ids.FIGURES:
        assert "figure" in second[panel], panel
    assert second[ids.SKEW]["figure"] != first[ids.SKEW]["figure"]


def test_a_page_is_not_sent_half_of_a_file_that_was_replaced(
    settings: Settings, store: SnapshotStore
) -> None:
    path = write(store)
    browser = page(settings)  # has been told of the first file, and has drawn nothing yet
    path.unlink()
    store.write(chain_at(NOON, strikes=STRIKES[1:-1]))
    late = page(settings)  # of a server that has not read the first file
    late.values[ids.VERSION] = browser.values[ids.VERSION]
    told = late.refresh()[ids.message(ids.SKEW)]["children"]
    assert "has changed" in told


@pytest.mark.parametrize(
    "name", ["../secret.parquet", "/etc/passwd", "snapshot_x.parquet", "a\0b", ".", "x" * 5000]
)
def test_a_browser_names_no_other_file(settings: Settings, store: SnapshotStore, name: str) -> None:
    write(store)
    browser = page(settings)
    browser.values[ids.VERSION] = {**browser.values[ids.VERSION], "snapshot": name}
    told = browser.refresh()[ids.message(ids.SKEW)]["children"]
    assert "snapshot" in told
    assert len(told) < 400


@pytest.mark.parametrize(
    ("control", "value"),
    [
        *((ids.MIN_VOLUME, value) for value in (None, "", "-", -5, 1e300, "1e400", "nan", 2**70)),
        *((ids.CENTRE, value) for value in (None, "", "-", 0, -100, 1e300, "inf")),
        *((ids.HALF_WIDTH, value) for value in (None, "", 0, -1, 1e-300, 1e300)),
        *((ids.EXPIRY, value) for value in (None, "", "2031-01-17", "0001-01-01")),
        *((ids.ROOT, value) for value in (None, "", "NDX", "SPY", "NONE")),
        *((ids.HISTORY, value) for value in (None, "", "0", "1e300", "-5")),
    ],
)
@pytest.mark.parametrize("time", ["expiry", "snapshot"])
def test_any_value_of_a_control_gives_a_picture_or_a_reason(
    shared: DashClient, control: str, value: Any, time: str
) -> None:
    shared.values.update({**CONTROLS, control: value, ids.TIME_AXIS: time, ids.SHOWN: None})
    sent = shared.refresh()
    for panel in ids.FIGURES:
        told = sent[ids.message(panel)]["children"]
        assert not told.startswith("This cannot be drawn"), (panel, told)
        assert bool(sent[panel]["figure"]["data"]) != bool(told), panel
    told = sent[ids.message(ids.RANKING)]["children"]
    assert bool(sent[ids.GRID]["rowData"]) != bool(told)


def test_a_caveat_of_the_snapshot_is_in_the_notice(
    settings: Settings, store: SnapshotStore
) -> None:
    notes = {"stream_lost_since": "2025-09-04T18:00:00+00:00"}
    store.write(replace(chain_at(strikes=STRIKES), notes=notes))
    sent = page(settings).refresh()
    assert "lacked quotes since" in str(sent[ids.NOTICE]["children"])
