"""`boxes doctor`: finds what is missing, says what to do, shows no secret."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from live_box_spreads.cli.checks import check_disk, check_reference, check_store
from live_box_spreads.feeds.vendor import Outcome
from live_box_spreads.settings import load_settings
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.stores.snapshots import SnapshotStore
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.checks import NAMES, check_clock, check_rest_quotes
from tests.exchange_fixture import exchange_fixture
from tests.feeds.made_market import made_chains, page_of
from tests.vendors.cboe.cboe_server import CboeServer

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.simulator.exchange import SimulatedExchange
    from tests.cli.conftest import Boxes, Result

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SECRET = "do-not-print-me"


def _config(folder: Path, text: str) -> Path:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _failed(result: Result) -> dict[str, str]:
    parts = [line.split(": ", 2) for line in result.out.splitlines()]
    return {name: detail for name, outcome, detail in parts if outcome == "failed"}


def test_the_simulated_feed_needs_no_account(boxes: Boxes, tmp_path: Path) -> None:
    result = boxes("doctor", "--config", _config(tmp_path, "feed: simulated\n"))
    assert result.status == 0, result.out
    assert "credentials: not needed" in result.out
    assert f"{tmp_path / 'data' / 'live_snapshots'} is writable" in result.out


def test_a_reference_is_named_with_its_day_or_told_why_not(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("date,3m,1y\n2026-11-23,4.1,3.9\n", encoding="utf-8")
    without = load_settings(_config(tmp_path, "feed: simulated\n"), {})
    assert check_reference(without, NOW).outcome is Outcome.NOT_NEEDED
    text = "reference: {source: file, file: rates.csv, max_age_days: 3}\n"
    settings = load_settings(_config(tmp_path, text), {})
    good = check_reference(settings, NOW)
    assert (good.outcome, good.detail) == (Outcome.OK, "rates of 2026-11-23")
    old = check_reference(settings, NOW + timedelta(days=5))
    assert old.outcome is Outcome.FAILED
    assert "at most 3 are accepted" in old.detail


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def _vendor_at(folder: Path, base_url: str) -> Path:
    text = f"feed: tastytrade\ntickers: [XSP]\ntastytrade: {{base_url: '{base_url}'}}\n"
    return _config(folder, text)


def test_a_public_feed_is_asked_for_its_contracts(boxes: Boxes, tmp_path: Path) -> None:
    chain = made_chains()[0]
    told_at = chain.snapshot_time + timedelta(minutes=15)
    with CboeServer({name: page_of(chain, name, told_at) for name in ("SPX", "XSP")}) as server:
        text = f"{{feed: cboe, tickers: [SPX, XSP, RUT], cboe: {{base_url: '{server.base_url}'}}}}"
        result = boxes("doctor", "--config", _config(tmp_path, text))
        assert result.status == 0, result.out
        assert "feed: ok: cboe, delayed: " in result.out
        assert "contracts, quotes of 2026-11-24 15:00 UTC" in result.out
        assert "no delayed quotes of RUT" in result.out
        server.statuses = {"SPX": 503, "XSP": 503}
        result = boxes("doctor", "--config", _config(tmp_path, text))
    assert result.status == 1
    assert "status 503" in _failed(result)["feed"]


def test_a_recording_is_looked_at(boxes: Boxes, tmp_path: Path) -> None:
    config = _config(tmp_path, "{feed: replay, tickers: [XSP], replay: {folder: recorded}}")
    result = boxes("doctor", "--config", config)
    assert result.status == 1
    assert str(tmp_path / "recorded") in _failed(result)["feed"]
    SnapshotStore(tmp_path / "recorded").write(made_chains()[0])
    result = boxes("doctor", "--config", config)
    assert result.status == 0, result.out
    assert "feed: ok: replay, replay: " in result.out


def test_missing_credentials_are_named(boxes: Boxes, tmp_path: Path) -> None:
    config = _vendor_at(tmp_path, f"http://127.0.0.1:{_closed_port()}")
    result = boxes("doctor", "--config", config)
    assert result.status == 1
    assert set(_failed(result)) == {"credentials", "address"}
    assert "TT_CLIENT_SECRET" in _failed(result)["credentials"]
    assert "TT_REFRESH_TOKEN" in _failed(result)["credentials"]


exchange = exchange_fixture("module", seed=3, roots=("XSP",))


def test_everything_is_fine(
    boxes: Boxes, tmp_path: Path, exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_CLIENT_SECRET", DEMO_CLIENT_SECRET)
    monkeypatch.setenv("TT_REFRESH_TOKEN", DEMO_REFRESH_TOKEN)
    result = boxes("doctor", "--config", _vendor_at(tmp_path, exchange.base_url))
    assert result.status == 0, result.out
    told = [line.split(": ", 2) for line in result.out.splitlines()]
    assert tuple(name for name, *_ in told[-len(NAMES) :]) == NAMES
    assert "entitlement: ok: live quotes, level 'api'" in result.out
    assert "stream: ok: DXLink took a subscription" in result.out
    assert DEMO_CLIENT_SECRET not in result.out + result.err


def test_each_part_that_fails_is_told_and_the_others_go_on(
    boxes: Boxes, tmp_path: Path, exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_CLIENT_SECRET", DEMO_CLIENT_SECRET)
    monkeypatch.setenv("TT_REFRESH_TOKEN", DEMO_REFRESH_TOKEN)
    exchange.faults.refused_upgrades = 1
    exchange.faults.demo_level = True
    result = boxes("doctor", "--config", _vendor_at(tmp_path, exchange.base_url))
    exchange.faults.demo_level = False
    assert result.status == 1
    assert set(_failed(result)) == {"stream"}
    assert "502" in _failed(result)["stream"]
    assert "entitlement: ok: delayed quotes, level 'demo'" in result.out


def test_a_refused_login_is_told_and_asks_for_nothing_more(
    boxes: Boxes, tmp_path: Path, exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("TT_REFRESH_TOKEN", SECRET)
    result = boxes("doctor", "--config", _vendor_at(tmp_path, exchange.base_url))
    assert set(_failed(result)) == {"login"}
    assert "TT_CLIENT_SECRET" in _failed(result)["login"]
    assert "stream" not in result.out
    assert SECRET not in result.out + result.err


def test_a_config_typo_is_told(boxes: Boxes, tmp_path: Path) -> None:
    result = boxes("doctor", "--config", _config(tmp_path, "tikers: [SPX]\n"))
    assert result.status == 1
    assert "Did you mean 'tickers'?" in _failed(result)["configuration"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_a_dotenv_that_others_can_read_is_told(boxes: Boxes, tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"TT_CLIENT_SECRET={SECRET}\n", encoding="utf-8")
    dotenv.chmod(0o644)
    result = boxes("doctor", "--config", _config(tmp_path, "feed: simulated\n"))
    assert result.status == 1
    assert f"chmod 600 {dotenv}" in _failed(result)[".env"]
    assert SECRET not in result.out + result.err


def test_a_store_that_cannot_be_written_is_told(boxes: Boxes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    config = _config(tmp_path, "snapshot_storage: {folder: file/snapshots}\n")
    result = boxes("doctor", "--config", config)
    assert result.status == 1
    assert "snapshot_storage.folder" in _failed(result)["snapshot folder"]


def test_an_endpoint_that_nobody_answers_is_told_and_no_secret_is(
    boxes: Boxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = _closed_port()
    monkeypatch.setenv("TT_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("TT_REFRESH_TOKEN", SECRET)
    text = f"feed: tastytrade\ntastytrade: {{base_url: 'http://127.0.0.1:{port}'}}\n"
    result = boxes("doctor", "--config", _config(tmp_path, text))
    assert result.status == 1
    assert "credentials: ok: OAuth2, present and not shown" in result.out
    assert f"127.0.0.1:{port}" in _failed(result)["address"]
    assert SECRET not in result.out + result.err


@pytest.mark.parametrize(
    ("skew_secs", "outcome", "says"),
    [
        (0, Outcome.OK, "within"),
        (-9, Outcome.OK, "within"),
        (11, Outcome.FAILED, "11 s ahead of"),
        (-3600, Outcome.FAILED, "3600 s behind"),
    ],
)
def test_the_clock_is_compared_with_the_servers(
    skew_secs: int, outcome: Outcome, says: str
) -> None:
    check = check_clock(NOW, NOW + timedelta(seconds=skew_secs))
    assert check.outcome is outcome
    assert says in check.detail


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx2.Response(403, json={"error": {"code": "not_permitted"}}), "nothing stands in"),
        (httpx2.Response(200, json={"data": {"items": []}}), "no price of XSP"),
    ],
)
async def test_an_account_without_rest_quotes_is_told(answer: httpx2.Response, says: str) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        token = {"access_token": "x", "expires_in": 900}
        return httpx2.Response(200, json=token) if "oauth" in request.url.path else answer

    credentials = Credentials(client_secret=SECRET, refresh_token=SECRET)
    transport = httpx2.MockTransport(handle)
    async with TastytradeClient(credentials, "https://x.test", transport=transport) as client:
        check = await check_rest_quotes(client, "XSP")
    assert check.outcome is Outcome.FAILED
    assert says in check.detail


def test_the_store_check_leaves_nothing_behind(tmp_path: Path) -> None:
    assert check_store(tmp_path / "new").outcome is Outcome.OK
    assert list((tmp_path / "new").iterdir()) == []


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})())
    check = check_disk(tmp_path / "not there yet")
    assert check.outcome is Outcome.FAILED
    assert "max_snapshots_retained" in check.detail
