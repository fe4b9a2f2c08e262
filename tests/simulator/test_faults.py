"""Each fault of the DXLink side, as a transcript; and faults by name."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.simulator.dxlink.messages import GARBLED, NOISE
from live_box_spreads.simulator.faults import FAULT_NAMES, RISING, Faults, parse_fault
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.scenarios import SCENARIOS
from tests.simulator.dxlink_client import FEED_SETUP, SETUP, Client, kinds, quoted

if TYPE_CHECKING:
    from datetime import datetime

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"


@pytest.fixture
def client(small_market: Market) -> Client:
    return Client(small_market).opened()


def texts(client: Client, secs: float = 0.2) -> list[str]:
    """Let time pass and return what is sent, unread."""
    client.now += secs
    client.session.tick(client.now)
    return client.session.outgoing(client.now)


def move(client: Client, secs: float = 40.0) -> None:
    """Let every contract quote anew."""
    client.market.advance(client.market.now + timedelta(seconds=secs))


def test_truncated_frames_cannot_be_read_and_the_next_one_can(client: Client) -> None:
    client.subscribe("Quote", *quoted(client.market, 3))
    client.faults.truncated_frames = 1
    move(client)
    (cut,) = texts(client)
    with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated|delimiter"):
        json.loads(cut)
    move(client)
    assert kinds([json.loads(text) for text in texts(client)]) == ["FEED_DATA"]
    assert client.faults.truncated_frames == 0


def test_garbled_frames_stand_in_the_place_of_data(client: Client) -> None:
    client.subscribe("Quote", *quoted(client.market, 3))
    client.faults.garbled_frames = len(GARBLED)
    seen = set()
    for _ in GARBLED:
        move(client)
        (text,) = texts(client)
        seen.add(text)
    assert seen == set(GARBLED)


def test_noise_and_errors_come_in_between(client: Client) -> None:
    client.faults.noise_frames = len(NOISE)
    client.faults.error_frames = 1
    sent = [text for _ in NOISE for text in texts(client)]
    assert set(NOISE) < set(sent)
    assert [json.loads(t)["error"] for t in sent if '"ERROR"' in t] == ["UNKNOWN"]
    assert client.session.close is None


def test_repeated_rows_come_twice_and_back_to_front(client: Client) -> None:
    first, second = quoted(client.market, 2)
    client.faults.repeated_rows = True
    _, data = client.subscribe("Quote", first, second)
    assert data["data"][1][::3] == [second, second, first, first]


def test_reversed_fields_are_told_by_a_new_config_at_any_time(client: Client) -> None:
    symbol = quoted(client.market, 1)[0]
    client.subscribe("Quote", symbol)
    client.faults.reversed_fields = True
    move(client)
    config, data = client.wait(0.2)
    assert config["eventFields"]["Quote"] == ["askPrice", "bidPrice", "eventSymbol"]
    assert data["data"][1][2] == symbol
    client.faults.reversed_fields = False
    move(client)
    config, data = client.wait(0.2)
    assert config["eventFields"]["Quote"] == ["eventSymbol", "bidPrice", "askPrice"]
    assert data["data"][1][0] == symbol


def test_full_format_can_be_forced_upon_a_client(client: Client) -> None:
    symbol = quoted(client.market, 1)[0]
    client.faults.full_format = True
    config, data = client.subscribe("Quote", symbol)
    assert config["dataFormat"] == "FULL"
    assert data["data"][0]["eventSymbol"] == symbol


def test_an_eager_config_names_all_fields_at_once(small_market: Market) -> None:
    client = Client(small_market, Faults(eager_config=True)).opened()
    (config,) = client.say(FEED_SETUP)
    assert config["eventFields"] == {
        "Quote": ["eventSymbol", "bidPrice", "askPrice"],
        "Trade": ["eventSymbol", "price"],
    }


def test_unquoted_symbols_quote_nan_and_their_neighbours_prices(client: Client) -> None:
    first, second = quoted(client.market, 2)
    client.faults.unquoted_symbols = {first}
    _, data = client.subscribe("Quote", first, second)
    assert data["data"][1][:3] == [first, "NaN", "NaN"]
    assert data["data"][1][4] != "NaN"


def test_a_silent_root_stalls_alone_and_then_tells_what_it_missed(opening: datetime) -> None:
    client = Client(Market(opening, seed=7, roots=("NDX", "NDXP"))).opened()
    rows = {root: next(s for s in quoted(client.market, 99_999) if s.startswith(f".{root}2"))
            for root in ("NDX", "NDXP")}  # fmt: skip
    client.subscribe("Quote", *rows.values())
    client.faults.silent_roots = {"NDXP"}
    move(client)
    (data,) = client.wait(0.2)
    assert data["data"][1][::3] == [rows["NDX"]]
    client.faults.silent_roots = set()
    (data,) = client.wait(0.2)
    assert data["data"][1][::3] == [rows["NDXP"]]


def test_a_frozen_exchange_tells_the_latest_state_when_it_thaws(client: Client) -> None:
    symbol = quoted(client.market, 1)[0]
    client.subscribe("Quote", symbol)
    client.faults.frozen = True
    move(client)
    assert client.wait(30.0) == []
    move(client)
    client.faults.frozen = False
    (data,) = client.wait(0.2)
    row = client.market.symbols.index(symbol)
    assert data["data"][1] == [symbol, client.market.book.bid[row], client.market.book.ask[row]]


def test_a_closed_channel_leaves_the_connection(client: Client) -> None:
    client.session.close_channels()
    assert client.wait(0.1) == [{"type": "CHANNEL_CLOSED", "channel": 1}]
    assert client.session.close is None


def test_an_idle_close_says_timeout_and_bye(client: Client) -> None:
    client.session.hang_up()
    (error,) = client.wait(0.1)
    assert error["error"] == "TIMEOUT"
    assert client.session.close == (1000, "Bye")


def test_a_revoked_session_is_told_so_and_gives_its_place_back(client: Client) -> None:
    client.session.revoke()
    assert client.wait(0.1) == [{"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"}]
    tokens = [client.token() for _ in range(5)]
    assert all(client.tokens.open_dxlink_session(token, client.now) for token in tokens)


@pytest.mark.parametrize("ends", [True, False])
def test_a_quote_token_expires_in_the_middle(small_market: Market, ends: bool) -> None:  # noqa: FBT001
    faults = Faults(quote_token_secs=10.0, expiry_ends_sessions=ends)
    client = Client(small_market, faults).opened()
    told = [frame.get("state") for frame in client.wait(11.0)]
    assert ("UNAUTHORIZED" in told) == ends


def test_voided_access_tokens_open_nothing_and_new_ones_do(client: Client) -> None:
    def access() -> str:
        granted = client.tokens.grant_access("demo-client-secret", "demo-refresh-token", client.now)
        assert granted is not None
        return f"Bearer {granted}"

    before = access()
    assert client.tokens.credential(before, client.now) == "oauth"
    client.faults.access_revocations += 1
    assert client.tokens.credential(before, client.now) is None
    assert client.tokens.credential(access(), client.now) == "oauth"


@pytest.mark.parametrize(
    ("limit", "frames", "message"),
    [
        ({"most_subscriptions": 2}, ["ERROR", "FEED_CONFIG", "FEED_DATA"], "size is too big"),
        ({"most_changes_a_minute": 2}, ["ERROR", "FEED_CONFIG", "FEED_DATA"], "rate is too high"),
        ({"most_frame_bytes": 100}, ["ERROR"], "exceeds 100 bytes"),
    ],
)
def test_limits_can_be_lowered(
    client: Client, limit: dict[str, int], frames: list[str], message: str
) -> None:
    client.faults.change(limit)
    told = client.subscribe("Quote", *quoted(client.market, 3))
    assert kinds(told) == frames
    assert message in told[0]["message"]


def test_every_fault_can_be_set_by_name_and_healed() -> None:
    examples: dict[type, str] = {bool: "true", int: "3", float: "0.5", set: "SPX,SPXW"}
    faults = Faults()
    for each in fields(Faults):
        faults.change({each.name: examples[type(getattr(faults, each.name))]})
        assert getattr(faults, each.name) != getattr(Faults(), each.name)
    assert faults.as_json()["silent_roots"] == ["SPX", "SPXW"]
    json.dumps(faults.as_json())
    faults.heal()
    left = {n for n in FAULT_NAMES if getattr(faults, n) != getattr(Faults(), n)}
    assert left == RISING


def test_plus_adds_to_what_stands() -> None:
    faults = Faults(resets=2)
    faults.change({"resets": "+1", "frozen": True, "silent_symbols": [".X"]})
    assert (faults.resets, faults.frozen, faults.silent_symbols) == (3, True, {".X"})
    assert parse_fault("rest_delay_secs=0.5") == ("rest_delay_secs", "0.5")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frozn": True}, r"no fault 'frozn'; did you mean frozen\?"),
        ({"zzz": 1}, "docs/simulator.md lists them"),
        ({"frozen": "perhaps"}, "frozen cannot be 'perhaps'; give true or false"),
        ({"resets": "many"}, "resets cannot be 'many'; give a number"),
        ({"resets": True}, "resets cannot be True"),
        ({"rest_delay_secs": float("nan")}, "rest_delay_secs cannot be nan"),
        ({"silent_roots": 7}, "silent_roots cannot be 7; give symbols"),
        ({"frozen": True, "resets": None}, "resets cannot be None"),
    ],
)
def test_a_mistaken_fault_is_one_clear_line_and_changes_nothing(
    changes: dict[str, object], message: str
) -> None:
    faults = Faults()
    with pytest.raises(ConfigError, match=message):
        faults.change(changes)
    assert faults == Faults()


def test_each_fault_is_documented_and_no_other() -> None:
    page = DOCUMENTATION.read_text(encoding="utf-8").partition("## Faults")[2]
    cells = re.findall(r"^\| (`[^|]+`) \|", page.partition("## Witnesses")[0], re.MULTILINE)
    documented = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted(FAULT_NAMES)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_changes_something_and_leaves_nothing_behind(name: str) -> None:
    faults, scenario = Faults(), SCENARIOS[name]
    with scenario.during(faults):
        assert faults != Faults()
        if scenario.cuts:
            assert faults.resets
    faults.heal(RISING)
    left = {n for n in FAULT_NAMES if getattr(faults, n) != getattr(Faults(), n)}
    assert left <= RISING


def test_a_session_before_setup_is_not_disturbed(small_market: Market) -> None:
    client = Client(small_market, Faults(expiry_ends_sessions=True, quote_token_secs=1))
    assert client.wait(5.0) == []
    assert kinds(client.say(SETUP)) == ["SETUP", "AUTH_STATE"]
