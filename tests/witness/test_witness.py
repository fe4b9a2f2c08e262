"""Clients that are not ours against the simulated exchange: what they read is what it holds.

Each is a program of its own, unmodified and only pointed at the exchange. Where one of them and
the exchange disagreed, docs/simulator.md says who was right.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from live_box_spreads.model.contracts import occ_symbol, parse_streamer
from live_box_spreads.simulator.credentials import (
    DEMO_ACCOUNT,
    DEMO_CLIENT_SECRET,
    DEMO_REFRESH_TOKEN,
)

if TYPE_CHECKING:
    from live_box_spreads.simulator.exchange import QuotedContract, SimulatedExchange

pytestmark = pytest.mark.witness

HERE = Path(__file__).parent
SUBSCRIBED = 5_000
PATIENCE_SECS = 120


def missing(what: str) -> None:
    """Skip; in CI, which installs what this needs, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI may not skip this test")
    pytest.skip(what)


def run(*command: str, said: str = "") -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own scripts
        command,
        cwd=HERE,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECS,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def true_quotes(exchange: SimulatedExchange, streamer_symbols: list[str]) -> list[QuotedContract]:
    return [exchange.quote(occ_symbol(parse_streamer(symbol))) for symbol in streamer_symbols]


@pytest.fixture(scope="module")
def sdk(exchange: SimulatedExchange) -> dict[str, Any]:
    if importlib.util.find_spec("tastytrade") is None:
        missing("the SDK is not installed: uv sync --extra dev --group witness")
    script = str(HERE / "sdk_client.py")
    secrets = (DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN)
    return run(sys.executable, script, exchange.base_url, *secrets, str(SUBSCRIBED))


def test_the_sdk_reads_the_chain_of_both_roots(
    sdk: dict[str, Any], exchange: SimulatedExchange
) -> None:
    series = list(exchange.truth().series)
    expected = {root: sum(each == root for each, _ in series) for root in ("SPX", "SPXW")}
    assert sdk["valid"]
    assert sdk["roots"] == expected
    assert sdk["contracts"] == len(exchange.occ_symbols)
    assert sdk["exercise_style"] == "European"
    assert float(sdk["rest"]["SPX"]) == round(exchange.truth().spot("SPX"), 2)


def test_the_sdk_receives_thousands_of_quotes_as_they_stand_in_the_book(
    sdk: dict[str, Any], exchange: SimulatedExchange
) -> None:
    """It drops a quote with a side that is NaN, and tells nobody; all others must be there."""
    quotes = sdk["quotes"]
    assert len(quotes) > 0.98 * SUBSCRIBED
    for told, own in zip(quotes.values(), true_quotes(exchange, list(quotes)), strict=True):
        assert [float(side) for side in told] == [own.bid, own.ask, own.bid_size, own.ask_size]
    assert float(sdk["spot"]) == round(exchange.truth().spot("SPX"), 2)


def test_the_sdk_understands_the_account_and_a_dry_run_of_a_box(sdk: dict[str, Any]) -> None:
    # The SDK gives debits a minus: four contracts at $1, and a margin of the width, 1,000 points.
    assert sdk["dry_run"]["account"] == DEMO_ACCOUNT
    assert float(sdk["dry_run"]["commission"]) == -4.0
    assert float(sdk["dry_run"]["margin"]) == -100_000.0


def quote_token(exchange: SimulatedExchange) -> tuple[str, str]:
    grant = {
        "grant_type": "refresh_token",
        "refresh_token": DEMO_REFRESH_TOKEN,
        "client_secret": DEMO_CLIENT_SECRET,
    }
    with httpx2.Client(base_url=exchange.base_url, headers={"User-Agent": "t/1"}) as client:
        access = client.post("/oauth/token", json=grant).json()["access_token"]
        bearer = {"Authorization": f"Bearer {access}"}
        data = client.get("/api-quote-tokens", headers=bearer).json()["data"]
    return data["dxlink-url"], data["token"]


@pytest.fixture(scope="module")
def node() -> tuple[str, ...]:
    """The command that runs the JavaScript client; its packages come from npm at first use."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        missing("node and npm are not installed")
    needed = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    if not all((HERE / "node_modules" / name).is_dir() for name in needed):
        npm = subprocess.run(  # literal
            ["npm", "ci", "--silent"],  # noqa: S607
            cwd=HERE,
            capture_output=True,
            check=False,
        )
        if npm.returncode:
            missing(f"the JavaScript client cannot be installed: {npm.stderr.decode()[:200]}")
    return (str(found), "dxlink_client.mjs")


@pytest.mark.parametrize("data_format", ["COMPACT", "FULL"])
def test_the_javascript_client_receives_quotes_as_they_stand_in_the_book(
    node: tuple[str, ...], exchange: SimulatedExchange, data_format: str
) -> None:
    url, token = quote_token(exchange)
    symbols = list(exchange.streamer_symbols[:SUBSCRIBED])
    request = {
        "url": url,
        "token": token,
        "format": data_format,
        "symbols": symbols,
        "trades": ["SPX"],
        "quiet_ms": 1_500,
    }
    told = run(*node, said=json.dumps(request))
    assert told["errors"] == []
    assert told["authStates"][-1] == "AUTHORIZED"
    assert told["trades"] == {"SPX": round(exchange.truth().spot("SPX"), 2)}
    for symbol, own in zip(symbols, true_quotes(exchange, symbols), strict=True):
        if symbol not in told["quotes"]:
            assert math.isnan(own.bid), symbol  # nobody makes a market
            continue
        sides = [float(side) for side in told["quotes"][symbol]]
        expected = [own.bid, own.ask, own.bid_size, own.ask_size]
        assert sides == pytest.approx(expected, abs=0, nan_ok=True), symbol
