"""Another vendor takes a folder (``example/``) and one line in the tuple of vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from live_box_spreads.cli.checks import run_checks
from live_box_spreads.model.chain import KEY, Timeliness
from live_box_spreads.model.errors import ConfigError, CredentialsError
from live_box_spreads.settings import env_files, load_settings, make_feed
from live_box_spreads.testing import FeedConformance
from live_box_spreads.vendors.catalogue import VENDORS, feed_names
from tests.vendors.example.feed import ExampleFeed
from tests.vendors.example.vendor import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from live_box_spreads.feeds.base import Contracts, Feed

WITH_EXAMPLE = (*VENDORS, EXAMPLE)
ENV = {"EXAMPLE_KEY": "do-not-print-me"}


def _config(folder: Path, section: str = "{interval_secs: 0.5}") -> Path:
    file = folder / "my.yaml"
    file.write_text(f"feed: example\ntickers: [XSP]\nexample: {section}\n", encoding="utf-8")
    return file


class TestTheExample(FeedConformance):
    timeliness = Timeliness.DELAYED

    @pytest.fixture
    def another(self, tmp_path: Path) -> Callable[[], Feed]:
        settings = load_settings(_config(tmp_path, "{interval_secs: 0.1}"), {}, WITH_EXAMPLE)
        return lambda: make_feed(settings, ENV)

    @pytest.fixture
    async def feed(self, another: Callable[[], Feed]) -> AsyncIterator[Feed]:
        async with another() as feed:
            yield feed

    async def withdraw_an_ask(self, feed: Feed, contracts: Contracts) -> int:
        assert isinstance(feed, ExampleFeed)
        row = len(contracts) // 4
        key = contracts.table.row(row, named=True)
        this = pl.all_horizontal(pl.col(name) == key[name] for name in KEY)
        asks = pl.when(this).then(float("nan")).otherwise(pl.col("ask")).alias("ask")
        feed.replace(feed.chain.quotes.with_columns(asks))
        return row


def test_its_section_reaches_the_feed(tmp_path: Path) -> None:
    settings = load_settings(_config(tmp_path), {}, WITH_EXAMPLE)
    assert settings.options() == {"interval_secs": 0.5}
    feed = make_feed(settings, ENV)
    assert isinstance(feed, ExampleFeed)
    assert feed._interval_secs == 0.5


def test_a_variable_of_the_environment_reaches_its_section(tmp_path: Path) -> None:
    env = {"BOX_EXAMPLE__INTERVAL_SECS": "2"}
    assert load_settings(_config(tmp_path), env, WITH_EXAMPLE).options() == {"interval_secs": 2.0}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{interval_sec: 1}", "unknown key 'example.interval_sec'; known: interval_secs."),
        ("{interval_secs: 0}", "example.interval_secs = 0: "),
    ],
)
def test_a_mistake_in_its_section_is_one_line(tmp_path: Path, section: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(_config(tmp_path, section), {}, WITH_EXAMPLE)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_is_among_the_feeds_only_where_it_is_in_the_tuple(tmp_path: Path) -> None:
    assert feed_names(WITH_EXAMPLE) == [*feed_names(), "example"]
    with pytest.raises(ConfigError, match="there is no feed 'example'"):
        load_settings(_config(tmp_path), {})


def test_it_is_refused_without_its_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(CredentialsError, match="EXAMPLE_KEY"):
        make_feed(load_settings(_config(tmp_path), {}, WITH_EXAMPLE), {})


async def test_the_doctor_runs_its_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env_files, "dotenv_folders", lambda: [tmp_path])
    monkeypatch.setenv("EXAMPLE_KEY", ENV["EXAMPLE_KEY"])
    checks = [check async for check in run_checks(_config(tmp_path), WITH_EXAMPLE)]
    lines = [f"{check.name}: {check.outcome}: {check.detail}" for check in checks]
    assert lines[-2:] == [
        "key: ok: present and not shown",
        "market: ok: XSP at {'interval_secs': 0.5}",
    ]
    assert ENV["EXAMPLE_KEY"] not in "".join(lines)
