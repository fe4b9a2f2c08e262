"""Which feed a configuration names, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import ConfigError, CredentialsError, FeedError
from live_box_spreads.settings import Settings, load_settings, make_feed
from live_box_spreads.vendors.simulated.feed import SimulatedFeed
from live_box_spreads.vendors.tastytrade.feed import TastytradeFeed

if TYPE_CHECKING:
    from pathlib import Path

CREDENTIALS = {"TT_CLIENT_SECRET": "a", "TT_REFRESH_TOKEN": "b"}


def _settings(folder: Path, text: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def test_the_simulated_feed_needs_no_credentials(tmp_path: Path) -> None:
    feed = make_feed(_settings(tmp_path, "simulator: {seed: 7}"), {})
    assert isinstance(feed, SimulatedFeed)
    assert feed.timeliness is Timeliness.SIMULATED
    assert feed._options.seed == 7


def test_the_vendors_feed_needs_credentials(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "feed: tastytrade")
    with pytest.raises(CredentialsError, match="TT_CLIENT_SECRET and TT_REFRESH_TOKEN"):
        make_feed(settings, {})
    feed = make_feed(settings, CREDENTIALS)
    assert isinstance(feed, TastytradeFeed)
    assert feed.name == "tastytrade"
    assert feed._client.base_url == "https://api.tastyworks.com"
    with pytest.raises(FeedError):  # live or delayed: only the vendor knows
        assert feed.timeliness


def test_an_exchange_on_this_machine_never_passes_for_live(tmp_path: Path) -> None:
    text = "{feed: tastytrade, tastytrade: {base_url: 'http://127.0.0.1:9'}}"
    feed = make_feed(_settings(tmp_path, text), CREDENTIALS)
    assert feed.timeliness is Timeliness.SIMULATED
    assert feed.name == "simulated"


def test_the_number_of_connections_reaches_the_stream(tmp_path: Path) -> None:
    text = "{feed: tastytrade, tastytrade: {connections: 2}}"
    feed = make_feed(_settings(tmp_path, text), CREDENTIALS)
    assert isinstance(feed, TastytradeFeed)
    assert feed._limits.connections == 2
    with pytest.raises(ConfigError, match=r"tastytrade.connections"):
        _settings(tmp_path, "tastytrade: {connections: 6}")


def test_the_question_for_a_one_time_code_reaches_the_login(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "feed: tastytrade")
    feed = make_feed(settings, CREDENTIALS, lambda: "123456")
    assert isinstance(feed, TastytradeFeed)
    ask = feed._client._login._credentials.one_time_code
    assert ask is not None
    assert ask() == "123456"
