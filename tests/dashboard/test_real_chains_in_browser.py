"""Real chains of different years in a real Chromium: each root is a picture or words, both ways.

The chains come into one folder one after the other, and one page follows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from live_box_spreads.books.desk import Desk
from live_box_spreads.dashboard import ids
from live_box_spreads.feeds.importers import read_cboe
from live_box_spreads.settings import load_settings
from tests.dashboard.browser import SURFACES, Watched, chromium, free_port
from tests.dashboard.page_matrix import thinned
from tests.dashboard.server import running
from tests.real_data import DATA, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.stores.snapshots import SnapshotStore

CHAINS = DATA / "chains"
FILES = [
    CHAINS / name
    for name in (
        "spx_20110124_1403_cboe.csv.gz",
        "spx_20200320_dl20200322_1824_cboe.dat.gz",
        "ndx_20240322_2140_cboe.csv.gz",
        "spx_20250904_1430intraday_cboe.csv.gz",
    )
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.realdata,
    pytest.mark.skipif(not CHAINS.is_dir(), reason=NO_DATA),
]
SETTLED_MS = 300
SHOWN = """panel => {
    const words = document.getElementById(`${panel}-message`).innerText;
    const chart = document.querySelector(`#${panel} .js-plotly-plot`);
    const axes = chart._fullLayout.scene || chart._fullLayout;
    return {words, traces: chart._fullData.length, type: axes.yaxis.type, range: axes.yaxis.range,
            ticks: axes.yaxis.ticktext || [], z: axes.zaxis ? axes.zaxis.range : [0, 1]};
}"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SnapshotStore:
    folder = tmp_path_factory.mktemp("real")
    return load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(folder)}).store()


def _write_twice(store: SnapshotStore, chain: Chain) -> None:
    """Write a chain, and as it would have been ten minutes earlier."""
    by = timedelta(minutes=10)
    quotes = chain.quotes.with_columns(quote_time=pl.col("quote_time") - by)
    store.write(replace(chain, quotes=quotes, snapshot_time=chain.snapshot_time - by))
    store.write(chain)


@pytest.fixture(scope="module")
def page(store: SnapshotStore) -> Iterator[Watched]:
    _write_twice(store, thinned(read_cboe(FILES[0])))
    variables = {"BOX_UPDATE_INTERVAL_SECONDS": "1"}
    with chromium() as browser, running(store.folder, free_port(), **variables) as dashboard:
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme="light", reduced_motion="reduce"
        )
        watched = Watched(context.new_page())
        watched.page.goto(dashboard.url)
        yield watched
        context.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split("_cboe")[0])
def test_each_root_is_a_picture_or_words(page: Watched, store: SnapshotStore, path: Path) -> None:
    chain = thinned(read_cboe(path))
    if path != FILES[0]:
        _write_twice(store, chain)
    page.expect_text(ids.SNAPSHOT_LABEL, f"{chain.snapshot_time:%d %b %Y %H:%M:%S} UTC")
    for root in Desk(chain).loan_roots:
        page.choose(ids.ROOT, f"^{root}$")
        _expect_panels(page, root, over="expiries", axis="log")
        page.press(ids.TIME_AXIS, "Snapshots")
        _expect_panels(page, root, over="snapshots", axis="linear")
        page.press(ids.TIME_AXIS, "To expiry")
        _expect_panels(page, root, over="expiries", axis="log")
    page.keep(f"real_{path.name.split('_cboe')[0]}")
    assert page.faults == []


def _expect_panels(page: Watched, root: str, *, over: str, axis: str) -> None:
    said = rf"\b{root}\b"
    for panel in SURFACES:
        # The caption names root and rows; where there is none, the words name the root.
        page.page.wait_for_function(
            """([panel, said, over]) => {
                const caption = document.getElementById(`${panel}-caption`).innerText;
                const words = document.getElementById(`${panel}-message`).innerText;
                const told = caption || words;
                return words === "" ? told.startsWith(`${said},`) && told.includes(over)
                                      || told.startsWith(`${said} `) && told.includes(over)
                                    : true;
            }""",
            arg=[panel, root, over],
        )
    page.page.wait_for_timeout(SETTLED_MS)
    for panel in ids.FIGURES:
        shown = page.page.evaluate(SHOWN, panel)
        assert bool(shown["traces"]) != bool(shown["words"]), (panel, said, shown)
        if panel in SURFACES and shown["traces"]:
            assert shown["type"] == axis, panel
            assert shown["ticks"], panel
            assert all(number == number for number in (*shown["range"], *shown["z"]))  # noqa: PLR0124
