"""The dashboard in a real Chromium: what a person sees, and what the controls do to it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dashboard import ids
from live_box_spreads.settings import load_settings
from tests.dashboard.browser import (
    SHOWN_RATES,
    SURFACES,
    Watched,
    free_port,
)
from tests.dashboard.market import NOON, chain_at
from tests.dashboard.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from live_box_spreads.stores.snapshots import SnapshotStore

# The tests share one page and build on each other: one worker runs a file (--dist loadfile).
pytestmark = pytest.mark.browser


def _store(folder: Path) -> SnapshotStore:
    return load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(folder)}).store()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SnapshotStore:
    """Give a folder with two snapshots, a minute apart."""
    store = _store(tmp_path_factory.mktemp("collected"))
    store.write(chain_at(NOON - timedelta(seconds=60)))
    store.write(chain_at(NOON))
    return store


@pytest.fixture(scope="module")
def url(store: SnapshotStore) -> Iterator[str]:
    governments = store.folder.parent / "governments.csv"
    governments.write_text("date,1m,1y,5y\n2025-09-03,3.6,3.6,3.6\n", encoding="utf-8")
    variables = {
        "BOX_UPDATE_INTERVAL_SECONDS": "1",
        "BOX_REFERENCE": f"{{source: file, file: '{governments}'}}",
    }
    with running(store.folder, free_port(), **variables) as dashboard:
        yield dashboard.url


@pytest.fixture(scope="module")
def light(browser: Browser, url: str) -> Iterator[Watched]:
    """Give one page on a small light screen; the tests use it one after the other."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme="light", reduced_motion="reduce"
    )
    watched = Watched(context.new_page())
    watched.page.goto(url)
    watched.until_painted()
    yield watched
    context.close()


def test_every_panel_is_painted(light: Watched) -> None:
    light.keep("1280_light")
    for panel in (*ids.FIGURES, ids.RANKING):
        seen = light.look(f".panel-{panel} .panel-body")
        assert seen["colours"] > 40, panel
        assert seen["largest"] < 0.97, panel
        assert light.text(ids.message(panel)) == "", panel
    assert light.page.evaluate("document.documentElement.scrollWidth") == 1280


def test_the_header_says_what_is_shown(light: Watched) -> None:
    assert light.text(ids.BADGE).lower() == "simulated · test"
    assert f"{NOON:%H:%M:%S} UTC" in light.text(ids.SNAPSHOT_LABEL)
    assert light.text(ids.SPOT) == "5,000.00"
    light.expect_text(ids.AGE, r"\d+ days")
    assert light.page.locator(".tile").count() == 4
    light.page.locator(f"#{ids.BOXES}").hover()
    light.page.get_by_text("SPXW boxes kept").wait_for()
    light.page.mouse.move(0, 400)


def test_fair_rates_stand_beside_a_reference_with_its_day(light: Watched) -> None:
    light.expect_text(ids.caption(ids.TERM_STRUCTURE), "Reference: governments, 03 Sep 2025")
    light.expect_text(ids.note(ids.TERM_STRUCTURE), "Quotes of SPXW at 45 days: kink")
    tile = light.page.locator(".tile").last.inner_text()
    # 4 % effective over 3.6 % semi-annual, which is 3.6324 % effective.
    assert re.search(r"1 year.*368 days.*4\.00%.*over ref\. 03 Sep\s+\+37 bp", tile, re.DOTALL)
    point = light.page.locator(f"#{ids.TERM_STRUCTURE} .scatterlayer .trace.scatter .point")
    point.last.hover(force=True)
    hover = light.page.locator(f"#{ids.TERM_STRUCTURE} .hoverlayer")
    hover.get_by_text("+36.8 bp").wait_for()


def test_compounding_changes_the_rates(light: Watched) -> None:
    before = light.page.evaluate(SHOWN_RATES, ids.TERM_STRUCTURE)
    assert before == pytest.approx([0.04] * 3, abs=1e-5)
    light.choose(ids.COMPOUNDING, "Continuous")
    light.page.wait_for_function(f"() => ({SHOWN_RATES})('{ids.TERM_STRUCTURE}')[0] < 0.0395")
    after = light.page.evaluate(SHOWN_RATES, ids.TERM_STRUCTURE)
    assert after == pytest.approx([0.0392207] * 3, abs=1e-5)
    light.choose(ids.COMPOUNDING, "Effective")


def test_band_and_numbers_agree(light: Watched) -> None:
    light.choose(ids.BAND, "low strikes")
    light.expect_text(ids.caption(ids.TERM_STRUCTURE), "80.0% to 90.0% of spot")
    light.fill(ids.CENTRE, "90")
    light.expect_text(ids.caption(ids.TERM_STRUCTURE), "85.0% to 95.0% of spot")
    light.page.wait_for_function(f"() => document.getElementById('{ids.BAND}').value === 'custom'")
    light.choose(ids.BAND, "at the money")
    light.expect_text(ids.caption(ids.TERM_STRUCTURE), "95.0% to 105.0% of spot")


def test_expiry_and_root_move_the_skew(light: Watched) -> None:
    light.expect_text(ids.caption(ids.SKEW), "SPXW")
    light.choose(ids.EXPIRY, "18 Sep 2026")
    light.expect_text(ids.caption(ids.SKEW), "SPXW 18 Sep 2026")
    light.choose(ids.ROOT, "^XSP$")
    light.expect_text(ids.caption(ids.SKEW), "XSP 18 Sep 2026")
    light.expect_text(ids.caption(ids.MID_SURFACE), "XSP")
    light.choose(ids.ROOT, "^SPXW$")
    light.expect_text(ids.caption(ids.SKEW), "SPXW 18 Sep 2026")


def test_the_table_has_both_sides_and_sorts(light: Watched) -> None:
    light.press(ids.SIDE, "Top borrow")
    light.expect_text(ids.caption(ids.RANKING), "best boxes to borrow with")
    light.page.locator(f'#{ids.GRID} .ag-header-cell[col-id="width"]').click()
    light.page.wait_for_selector(
        f'#{ids.GRID} .ag-header-cell[col-id="width"][aria-sort="ascending"]'
    )


def test_a_new_snapshot_arrives_and_camera_choice_and_sort_stay(
    light: Watched, store: SnapshotStore
) -> None:
    before = light.camera(ids.MID_SURFACE)
    light.page.evaluate("window.scrollTo(0, 0)")
    light.drag(f"#{ids.MID_SURFACE} .js-plotly-plot", by=(80, 30))
    light.until_turned(ids.MID_SURFACE, before)
    turned = light.camera(ids.MID_SURFACE)
    later = NOON + timedelta(seconds=90)
    store.write(chain_at(later))
    light.expect_text(ids.SNAPSHOT_LABEL, f"{later:%H:%M:%S} UTC")
    light.page.wait_for_timeout(1500)
    assert light.camera(ids.MID_SURFACE) == pytest.approx(turned, abs=1e-3)
    assert "18 Sep 2026" in light.page.locator(f"#{ids.EXPIRY}").input_value()
    assert light.page.locator(
        f'#{ids.GRID} .ag-header-cell[col-id="width"][aria-sort="ascending"]'
    ).count()


def test_snapshots_on_the_time_axis(light: Watched) -> None:
    light.press(ids.TIME_AXIS, "Snapshots")
    light.expect_text(ids.caption(ids.MID_SURFACE), "18 Sep 2026, 3 snapshots")
    light.press(ids.TIME_AXIS, "To expiry")
    light.expect_text(ids.caption(ids.MID_SURFACE), "3 expiries")


def test_a_filter_that_leaves_nothing_is_named(light: Watched) -> None:
    light.fill(ids.MIN_VOLUME, "999999")
    light.expect_text(ids.message(ids.SKEW), "leg volume is under min_volume")
    light.expect_text(ids.message(ids.RANKING), "No box passes the filters")
    light.fill(ids.MIN_VOLUME, "0")
    light.expect_text(ids.message(ids.SKEW), "^$")


def test_a_broken_snapshot_is_told_and_the_last_good_one_stays(
    light: Watched, store: SnapshotStore
) -> None:
    broken = store.folder / f"snapshot_{NOON + timedelta(hours=1):%Y%m%d_%H%M%S}.parquet"
    broken.write_bytes(b"PAR1 and then the disk was full")
    light.expect_text(ids.NOTICE, broken.name)
    light.expect_text(ids.message(ids.MID_SURFACE), "^$")
    broken.unlink()
    light.expect_text(ids.NOTICE, "^$")


def test_the_scheme_switch_turns_page_charts_and_table_dark(light: Watched) -> None:
    light.page.locator(f"#{ids.SCHEME_SWITCH}").click()
    light.page.wait_for_selector(
        'html[data-mantine-color-scheme="dark"][data-ag-theme-mode="dark"]'
    )
    light.page.wait_for_function(
        "id => document.querySelector(`#${id} .js-plotly-plot`).layout.font.color === '#e6ebf2'",
        arg=ids.TERM_STRUCTURE,
    )
    kept = light.page.evaluate("localStorage.getItem('mantine-color-scheme-value')")
    assert kept == "dark"


def test_nothing_went_wrong_on_the_page(light: Watched) -> None:
    assert light.faults == []


def test_a_dark_system_starts_dark_on_a_wide_screen(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, color_scheme="dark")
    watched = Watched(context.new_page())
    watched.page.goto(url)
    watched.until_painted()
    assert watched.page.locator('html[data-mantine-color-scheme="dark"]').count() == 1
    assert watched.page.evaluate("document.documentElement.scrollWidth") == 1920
    watched.keep("1920_dark")
    for surface in SURFACES:
        assert watched.look(f".panel-{surface} .panel-body")["colours"] > 40
    assert watched.faults == []
    context.close()


def test_an_empty_folder_says_how_to_get_a_snapshot(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    watched = Watched(context.new_page())
    with running(tmp_path / "none", free_port()) as dashboard:
        watched.page.goto(dashboard.url)
        for panel in (*ids.FIGURES, ids.RANKING):
            watched.expect_text(ids.message(panel), "No snapshot yet")
        assert watched.text(ids.BADGE).lower() == "no data"
        watched.keep("1280_light_empty")
        context.close()
    assert watched.faults == []
