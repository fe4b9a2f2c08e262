"""Feeds by entry point: the built-in ones, and that of docs/writing-a-feed.md, installed."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live_box_spreads.collector.collector import Collector
from live_box_spreads.feeds.base import FeedSetup
from live_box_spreads.model.chain import KEY, Chain, Timeliness
from live_box_spreads.model.errors import ConfigError
from live_box_spreads.settings import load_settings, make_feed
from live_box_spreads.stores.snapshots import read_snapshot
from live_box_spreads.testing import FeedConformance
from live_box_spreads.vendors import catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from live_box_spreads.feeds.base import Contracts, Feed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "writing-a-feed.md"


def _block(language: str, number: int = 0) -> str:
    """Return a code block of a language on the page."""
    text = PAGE.read_text(encoding="utf-8")
    return str(re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[number])


def _install(folder: Path, package: str, points: dict[str, str]) -> None:
    """Write the metadata that an installer leaves beside a package."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"[{catalogue.GROUP}]", *(f"{name} = {value}" for name, value in points.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, with the example of the page in it."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "dealer_feed.py").write_text(_block("python"), encoding="utf-8")
    [(name, value)] = re.findall(r'^(\w+) = "(.+)"$', _block("toml"), re.MULTILINE)
    _install(folder, "dealer", {name: value})
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield folder
    for module in ("dealer_feed", "broken_feed"):
        sys.modules.pop(module, None)


class TestTheFeedOfThePage(FeedConformance):
    timeliness = Timeliness.SIMULATED

    @pytest.fixture
    def another(self, site: Path) -> Callable[[], Feed]:  # noqa: ARG002 - it is found there
        setup = FeedSetup({"ask_every_secs": 0.01})
        return lambda: catalogue.make_feed("dealer", setup)

    @pytest.fixture
    async def feed(self, another: Callable[[], Feed]) -> AsyncIterator[Feed]:
        async with another() as feed:
            yield feed

    async def withdraw_an_ask(self, feed: Any, contracts: Contracts) -> int:
        row = len(contracts) // 4
        key = contracts.table.row(row, named=True)
        this = pl.all_horizontal(pl.col(name) == key[name] for name in KEY)
        whole = await feed.ask()
        asks = pl.when(this).then(float("nan")).otherwise(pl.col("ask")).alias("ask")
        less = Chain.build(
            whole.quotes.with_columns(asks),
            snapshot_time=whole.snapshot_time,
            feed=whole.feed,
            timeliness=whole.timeliness,
            spot=whole.spot,
        )

        async def ask() -> Chain:
            return less

        feed.ask = ask
        return row


def test_the_test_of_the_page_passes(site: Path) -> None:
    (site / "test_dealer_feed.py").write_text(_block("python", 1), encoding="utf-8")
    (site / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    paths = os.pathsep.join([str(site), str(PAGE.parents[1])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:dash", "-p", "no:cacheprovider"],
        cwd=site,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^1\d passed", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.usefixtures("site")
async def test_the_configuration_of_the_page_collects_from_it(tmp_path: Path) -> None:
    config = tmp_path / "my.yaml"
    config.write_text(f"{_block('yaml')}\ntickers: [SPX, XSP]\n", encoding="utf-8")
    settings = load_settings(config, {})
    assert (settings.feed, settings.feed_options) == ("dealer", {"ask_every_secs": 1})
    for collection in ("stream", "poll"):
        feed = make_feed(settings, {})
        collector = Collector(feed, settings.universe(), settings.store(), collection=collection)
        report = await collector.once()
        assert report.path is not None
        assert "simulated dealer" in report.summary()
        assert read_snapshot(report.path).roots == ["SPX", "XSP"]


@pytest.mark.usefixtures("site")
def test_every_feed_that_is_found_is_listed() -> None:
    names = catalogue.feed_names()
    assert names == ["simulated", "tastytrade", "replay", "cboe", "dealer"]


@pytest.mark.parametrize("name", [vendor.feed for vendor in catalogue.VENDORS])
def test_each_built_in_feed_is_made_from_its_section(name: str, tmp_path: Path) -> None:
    config = tmp_path / "my.yaml"
    config.write_text(f"feed: {name}\n", encoding="utf-8")
    feed = make_feed(load_settings(config, {}), {"TT_CLIENT_SECRET": "a", "TT_REFRESH_TOKEN": "b"})
    assert feed.name == name


def test_a_built_in_feed_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "live_box_spreads.vendors.simulated.feed", None)
    with pytest.raises(ConfigError, match=r"'simulated' .*pip install 'live-box-spreads\[all\]'"):
        catalogue.make_feed("simulated", FeedSetup({}))


@pytest.mark.usefixtures("site")
def test_a_name_that_nobody_brings_is_one_line_with_those_found() -> None:
    with pytest.raises(ConfigError) as raised:
        catalogue.check_feed_name("deeler")
    assert str(raised.value) == (
        "there is no feed 'deeler'; found: simulated, tastytrade, replay, cboe, dealer. "
        "Did you mean 'dealer'?"
    )


def test_a_built_in_name_cannot_be_taken(site: Path) -> None:
    _install(site, "usurper", {"cboe": "dealer_feed:make_feed"})
    feed = catalogue.make_feed(
        "cboe", FeedSetup({"base_url": "https://x.test", "interval_secs": 60})
    )
    assert type(feed).__name__ == "CboeFeed"
    assert catalogue.feed_names().count("cboe") == 1


def test_two_packages_with_one_name_are_told(site: Path) -> None:
    _install(site, "rival", {"dealer": "rival_feed:make_feed"})
    with pytest.raises(ConfigError, match="several packages: dealer_feed:make_feed, rival_feed"):
        catalogue.check_feed_name("dealer")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_of_this_name", "cannot be loaded: No module named"),
        ("x = 1", "cannot be loaded: .*make_feed"),
        ("make_feed = 3", "no function that makes a feed"),
        ("def make_feed(setup): return setup", "lacks timeliness, market_time, contracts"),
    ],
)
def test_a_broken_package_is_one_line_that_names_it(site: Path, code: str, says: str) -> None:
    (site / "broken_feed.py").write_text(code)
    _install(site, "broken", {"broken": "broken_feed:make_feed"})
    with pytest.raises(ConfigError, match=says) as raised:
        catalogue.make_feed("broken", FeedSetup())
    assert "broken_feed:make_feed" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_credentials_never_show() -> None:
    assert "hush" not in repr(FeedSetup(env={"TT_CLIENT_SECRET": "hush"}))


def test_the_descriptions_load_no_client() -> None:
    code = (
        "import sys, live_box_spreads.vendors.catalogue\n"
        "print([name for name in ('httpx2', 'websockets', 'numba') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout.strip() == "[]"
