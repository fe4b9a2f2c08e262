"""After a run with everything logged, no secret is in any log, snapshot, metric, error or repr."""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from live_box_spreads.collector.collector import Collector
from live_box_spreads.collector.metrics import CollectorMetrics
from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.feeds.base import Universe
from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.settings import environment, load_settings, make_feed
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes
from tests.collector.scripted import Reports, in_this_loop
from tests.exchange_fixture import exchange_fixture

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.simulator.exchange import SimulatedExchange

WRONG = "a-wrong-secret-that-must-not-show"
SMALL = Universe(("XSP",), 2, "nearest", (0.97, 1.03))
QUICK = FeedTimes(
    rest=RestTimes(after_loss=0.0, while_down=0.1),
    connection=ConnectionTimes(first_retry=0.02, longest_retry=0.05, token_life=0.3),
)
LONGEST_SECS = 30.0


exchange = exchange_fixture("function", seed=5, roots=("XSP",), tick_secs=0.05)


class Everything(logging.Handler):
    """All that the client and its libraries log, as text with the values of every argument."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "websockets.server":
            return  # the exchange's own side of the wire, in this process for the test only
        self.lines.append(f"{record.getMessage()} {record.__dict__}")

    def structured(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        self.lines.append(f"{method} {event}")
        raise structlog.DropEvent


@pytest.fixture
def logged() -> Iterator[Everything]:
    """Log everything, at the lowest level, wherever it comes from."""
    everything = Everything()
    root = logging.getLogger()
    level = root.level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    structlog.configure(
        processors=[everything.structured],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    yield everything
    root.removeHandler(everything)
    root.setLevel(level)


def secrets_of(exchange: SimulatedExchange) -> list[str]:
    """Return what must not show: the credentials, and every token that was ever issued."""
    assert exchange._exchange is not None
    tokens = exchange._exchange._state.tokens
    issued = [*tokens._bearer, *tokens._bare, *tokens._quote, *tokens._remember]
    assert len(issued) >= 4
    return [DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN, WRONG, *issued]


def assert_nowhere(secrets: list[str], texts: list[str]) -> None:
    for text in texts:
        found = [number for number, secret in enumerate(secrets) if secret in text]
        assert not found, f"secret {found} shows"  # without the text, which pytest would print


async def collected(
    exchange: SimulatedExchange, store: SnapshotStore, texts: list[str]
) -> list[SnapshotReport]:
    """Collect while the exchange does what goes wrong most, and keep what objects say of it."""
    credentials = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
    client = TastytradeClient(credentials, exchange.base_url)
    feed = TastytradeFeed(client, times=QUICK, rng=random.Random(1))  # noqa: S311 # jitter
    collector = Collector(feed, SMALL, store, settle_secs=0.2)
    stop = asyncio.Event()
    reports: list[SnapshotReport] = []
    troubles: Iterator[dict[str, float]] = iter(
        [
            {"truncated_frames": 1, "garbled_frames": 1, "error_frames": 1, "noise_frames": 1},
            {"resets": 1, "refused_upgrades": 1},
            {"revocations": 1, "html_401_responses": 1},
            {"quote_token_secs": -1.0, "resets": 2},
            {"quote_token_secs": 900.0, "html_502_responses": 2, "access_revocations": 1},
            {"idle_closes": 1, "throttled_responses": 1},
        ]
    )

    def on_report(report: SnapshotReport) -> None:
        reports.append(report)
        trouble = next(troubles, None)
        if trouble is None:
            stop.set()
            return
        for name, value in trouble.items():
            setattr(exchange.faults, name, value)

    async with asyncio.timeout(LONGEST_SECS):
        collector.publisher.subscribe(Reports(in_this_loop(on_report)))
        await collector.run(0.4, stop)
    token = await _quote_token(client)
    objects = (
        credentials,
        client,
        client._api,
        client._api.http,
        client._api.http.secrets,
        client._login,
        feed,
        collector,
        store,
        token,
    )
    texts += [f"{each!r} {each!s}" for each in objects]
    texts += [f"{report!r} {report.summary()}" for report in reports]
    texts += map(str, CollectorMetrics(collector.health, collector.publisher.health).collect())
    return reports


async def _quote_token(client: TastytradeClient) -> object:
    async with TastytradeClient(
        client._login._credentials, client.base_url
    ) as another:  # the first one is closed by now
        return await another.quote_token()


async def refusals(exchange: SimulatedExchange, texts: list[str]) -> None:
    """Provoke refusals, and keep all that their errors tell."""
    wrong = Credentials(client_secret=WRONG, refresh_token=WRONG)
    password = Credentials(username="someone", password=WRONG)
    for credentials in (wrong, password):
        async with TastytradeClient(credentials, exchange.base_url) as client:
            with pytest.raises(BoxSpreadsError) as caught:
                await client.quote_token()
        error = caught.value
        texts.append(f"{error!r} {error.__dict__} {error.__cause__!r} {error.__context__!r}")
        texts.extend(traceback.format_exception(error))


async def test_no_secret_shows_anywhere(
    exchange: SimulatedExchange, tmp_path: Path, logged: Everything
) -> None:
    store = SnapshotStore(tmp_path / "store")
    texts: list[str] = []
    reports = await collected(exchange, store, texts)
    await refusals(exchange, texts)
    assert sum(report.path is not None for report in reports) >= 3
    for source in ("connection_lost", "httpcore2", "HTTP Request"):  # the log is really there
        assert any(source in line for line in logged.lines)
    for path in store.paths():
        texts.append(path.read_bytes().decode("latin-1"))
        texts.append(repr(read_snapshot(path)))
    assert_nowhere(secrets_of(exchange), [*texts, *logged.lines])


def test_settings_and_feeds_show_no_secret_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_CLIENT_SECRET", WRONG)
    monkeypatch.setenv("TT_REFRESH_TOKEN", WRONG)
    file = tmp_path / "my.yaml"
    file.write_text("feed: tastytrade\n", encoding="utf-8")
    env = environment(folders=[tmp_path])
    settings = load_settings(file, env)
    feed = make_feed(settings, env)
    assert_nowhere([WRONG], [repr(settings), str(settings), repr(feed), repr(vars(feed))])


def test_the_search_finds_what_it_looks_for() -> None:
    with pytest.raises(AssertionError, match=r"secret \[1\] shows"):
        assert_nowhere(["one", WRONG], [f"a line with {WRONG}", str(datetime.now(UTC))])
