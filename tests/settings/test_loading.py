"""From file and environment to settings: who wins, and one clear line for each mistake."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.model.quality import LegFlag
from live_box_spreads.model.rates import Compounding
from live_box_spreads.settings import PACKAGED_CONFIG, Settings, load_settings, loading


def _load(folder: Path, text: str, env: dict[str, str] | None = None) -> Settings:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, env or {})


def _mistake(folder: Path, text: str, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        _load(folder, text, env)
    return str(caught.value)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = _load(tmp_path, "# nothing\n")
    assert settings.tickers == ("SPX", "SPXW", "XSP", "NDX", "NDXP")
    assert settings.feed == "simulated"


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    text = "update_interval_seconds: 30\nmax_snapshots_retained: 7\ndashboard: {port: 9000}\n"
    env = {
        "BOX_UPDATE_INTERVAL_SECONDS": "15",
        "BOX_TICKERS": "[XSP]",
        "BOX_DASHBOARD__HOST": "::1",
        "BOX_COMPOUNDING": "simple",
        "BOX_EXPIRY_SELECTION": "",
        "BOX_ENV": "conda",
        "OTHER": "[",
    }
    settings = _load(tmp_path, text, env)
    assert settings.update_interval_seconds == 15
    assert settings.max_snapshots_retained == 7
    assert settings.tickers == ("XSP",)
    assert (settings.dashboard.host, settings.dashboard.port) == ("::1", 9000)
    assert settings.compounding is Compounding.SIMPLE
    assert settings.expiry_selection == "spread"


def test_the_gaps_of_a_root_win_over_the_default(tmp_path: Path) -> None:
    settings = _load(tmp_path, "min_strike_gap: 1\nmax_strike_gap: {default: 1000, XSP: 100}\n")
    assert settings.box_filters("SPX").max_strike_gap == 1000
    assert settings.box_filters("XSP").max_strike_gap == 100
    assert settings.box_filters("XSP").min_strike_gap == 1


def test_the_floors_below_get_plain_values(tmp_path: Path) -> None:
    text = """
tickers: [SPXW, SPX]
expiries_per_ticker: 0
expiry_selection: nearest
strike_moneyness: [0.9, 1.1]
min_volume: 3
min_open_interest: 4
max_abs_rate: 0.1
quality: {stale_after_secs: 20, max_half_spread_points: 5, exclude: [wide, zero_bid]}
"""
    settings = _load(tmp_path, text)
    universe = settings.universe()
    assert universe.roots == ("SPXW", "SPX")
    assert (universe.expiries_per_root, universe.expiry_selection) == (0, "nearest")
    assert universe.moneyness == (0.9, 1.1)
    filters = settings.box_filters("SPX")
    assert (filters.min_volume, filters.min_open_interest, filters.max_abs_rate) == (3, 4, 0.1)
    rules = settings.quality_rules()
    assert (rules.stale_after_secs, rules.max_half_spread_points) == (20, 5)
    assert rules.exclude == LegFlag.WIDE | LegFlag.ZERO_BID


def test_no_half_spread_is_wide_by_default(tmp_path: Path) -> None:
    rules = _load(tmp_path, "").quality_rules()
    assert rules.max_half_spread_points == float("inf")
    assert rules.exclude == LegFlag.CROSSED | LegFlag.STALE


def test_the_store_is_the_configured_one(tmp_path: Path) -> None:
    store = _load(
        tmp_path, "snapshot_storage: {folder: kept, format: csv}\nmax_snapshots_retained: 9\n"
    ).store()
    assert store.folder == tmp_path / "kept"
    assert store.file_format == "csv"
    assert store.retain == 9
    assert not (tmp_path / "kept").exists()


def test_a_relative_folder_does_not_depend_on_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "my.yaml").write_text("feed: simulated\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    settings = load_settings(Path("../my.yaml"), {})
    assert settings.snapshot_folder == tmp_path / "data" / "live_snapshots"


def test_an_absolute_folder_and_one_in_the_home_are_taken_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    env = {"BOX_SNAPSHOT_STORAGE__FOLDER": "~/boxes"}
    assert _load(tmp_path, "", env).snapshot_folder == tmp_path / "home" / "boxes"
    env = {"BOX_SNAPSHOT_STORAGE__FOLDER": str(tmp_path / "else")}
    assert _load(tmp_path, "", env).snapshot_folder == tmp_path / "else"


def test_an_installed_wheel_keeps_snapshots_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CHECKOUT", None)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert load_settings(env={}).snapshot_folder == (
        tmp_path / ".live_box_spreads" / "data" / "live_snapshots"
    )
    own = tmp_path / "own.yaml"
    own.write_text("", encoding="utf-8")
    assert load_settings(own, {}).snapshot_folder == tmp_path / "data" / "live_snapshots"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = _load(tmp_path, "")
    with pytest.raises(ValueError, match="frozen"):
        settings.feed = "tastytrade"  # type: ignore[misc] # that is the point


# What is wrong, and what the one line must say: the key, the value, what is allowed.
MISTAKES: list[tuple[str, list[str]]] = [
    ("ticker: [SPX]", ["unknown key 'ticker'", "Did you mean 'tickers'?"]),
    ("quality: {stale_after_sec: 1}", ["'quality.stale_after_sec'", "'stale_after_secs'?"]),
    (
        "moneyness_bands: [{name: a, centre: 1, half_width: 0.1, width: 2}]",
        ["'moneyness_bands.0.width'", "'half_width'?"],
    ),
    ("moneyness_bands: [{name: a, centre: 1}]", ["moneyness_bands.0.half_width is missing"]),
    (
        "moneyness_bands: [&a {name: a, centre: 1, half_width: 1}, *a]",
        ["moneyness_bands", "names should differ"],
    ),
    ("moneyness_bands: []", ["moneyness_bands = []", "at least one"]),
    ("feed: ibkr", ["feed = 'ibkr'", "no feed 'ibkr'", "simulated, tastytrade, replay, cboe"]),
    ("feed: cbo", ["feed = 'cbo'", "Did you mean 'cboe'?"]),
    ("cboe: {interval_secs: 5}", ["cboe.interval_secs = 5", "30"]),
    ("cboe: {base_url: 'http://example.com'}", ["cboe.base_url", "https://"]),
    ("feed_options: [1]", ["feed_options = [1]", "object"]),
    ("replay: {speed: 0}", ["replay.speed = 0", "greater than 0"]),
    ("replay: {loop: often}", ["replay.loop = 'often'", "boolean"]),
    (
        "{feed: replay, replay: {folder: x}, snapshot_storage: {folder: x}}",
        ["replay.folder and snapshot_storage.folder are both x", "own recording"],
    ),
    ("tickers: SPX", ["tickers = 'SPX'", "array"]),
    ("tickers: []", ["tickers = []", "at least one"]),
    ("tickers: [SPXX]", ["tickers = ['SPXX']", "unknown option root 'SPXX'", "Did you mean"]),
    ("tickers: [SPY]", ["tickers = ['SPY']", "American", "no loan"]),
    ("tickers: [SPX, SPX]", ["tickers = ['SPX', 'SPX']", "once"]),
    ("tickers: [1]", ["tickers.0 = 1", "string"]),
    ("expiries_per_ticker: -1", ["expiries_per_ticker = -1", "greater than or equal to 0"]),
    ("expiries_per_ticker: many", ["expiries_per_ticker = 'many'", "integer"]),
    ("expiries_per_ticker: '5'", ["expiries_per_ticker = '5'", "integer"]),
    ("expiries_per_ticker: 2.5", ["expiries_per_ticker = 2.5", "integer"]),
    ("min_volume: true", ["min_volume = True", "integer"]),
    ("tickers:", ["tickers = None", "array"]),
    ("quality:", ["quality = None", "object"]),
    ("strike_moneyness: [1.2, 0.8]", ["strike_moneyness = [1.2, 0.8]", "lower"]),
    ("strike_moneyness: [0.8]", ["strike_moneyness.1", "missing"]),
    ("strike_moneyness: 0.8", ["strike_moneyness = 0.8", "array"]),
    ("expiry_selection: far", ["expiry_selection = 'far'", "'spread' or 'nearest'"]),
    ("collection: push", ["collection = 'push'", "'stream' or 'poll'"]),
    ("max_strike_gap: wide", ["max_strike_gap = 'wide'", "a number, or a mapping"]),
    ("max_strike_gap: {XSP: 100}", ["max_strike_gap = {'XSP': 100}", "`default`"]),
    (
        "max_strike_gap: {default: 100, XPS: 1}",
        ["max_strike_gap", "unknown option root 'XPS'", "Did you mean"],
    ),
    ("max_strike_gap: 0", ["max_strike_gap.default = 0", "greater than 0"]),
    (
        "{min_strike_gap: 500, max_strike_gap: 100}",
        ["min_strike_gap = 500", "above max_strike_gap = 100"],
    ),
    ("max_abs_rate: .inf", ["max_abs_rate = inf", "finite"]),
    ("max_abs_rate: .nan", ["max_abs_rate = nan"]),
    ("price_selector: last", ["price_selector = 'last'", "'mid', 'bid' or 'ask'"]),
    ("compounding: daily", ["compounding = 'daily'", "'effective'", "'bond_equivalent'"]),
    ("fit: spline", ["fit = 'spline'", "'joint', 'one_curve' or 'per_expiry'"]),
    ("time_basis: midnight", ["time_basis = 'midnight'", "'settlement' or 'expiry_instant'"]),
    ("quality: {exclude: [croosed]}", ["no quality flag 'croosed'", "Did you mean 'crossed'?"]),
    ("snapshot_storage: {format: feather}", ["format = 'feather'", "'parquet' or 'csv'"]),
    ("update_interval_seconds: 0", ["update_interval_seconds = 0", "greater than 0"]),
    ("update_interval_seconds: 2024-01-01", ["update_interval_seconds = '2024-01-01'", "number"]),
    ("max_snapshots_retained: 0", ["max_snapshots_retained = 0", "greater than or equal to 1"]),
    ("dashboard: {host: 0.0.0.0}", ["dashboard.host = '0.0.0.0'", "loopback", "127.0.0.1"]),
    ("dashboard: {host: example.com}", ["dashboard.host = 'example.com'", "loopback"]),
    ("dashboard: {port: 70000}", ["dashboard.port = 70000", "65535"]),
    (
        "tastytrade: {base_url: 'http://api.tastyworks.com'}",
        ["tastytrade.base_url = 'http://api.tastyworks.com'", "https://"],
    ),
    (
        "tastytrade: {base_url: 'https://me:hunter2@example.com'}",
        ["tastytrade.base_url = ***: a user name or password stands in it"],
    ),
    (
        "tastytrade: {base_url: 'https://a.example/x?y=1'}",
        ["base_url = ", "a query or fragment"],
    ),
    (
        "cboe: {base_url: 'https://a.example/x#y'}",
        ["cboe.base_url = ", "a query or fragment"],
    ),
    ("cboe: {base_url: 'wss://a.example'}", ["cboe.base_url = ", "no address of an HTTP service"]),
    (
        "reference: {address: 'https://a.example/?'}",
        ["address = ", "a query or fragment"],
    ),
    ("tastytrade: {base_url: ftp://x}", ["tastytrade.base_url = 'ftp://x'", "https://"]),
    ("reference: {source: ecb}", ["reference.source = 'ecb'", "'treasury'", "'file'"]),
    ("reference: {source: file}", ["reference = {'source': 'file'}", "reference.file"]),
    ("reference: {max_age_days: -1}", ["reference.max_age_days = -1", "equal to 0"]),
    (
        "reference: {address: 'http://home.treasury.gov'}",
        ["reference.address = 'http://home.treasury.gov'", "https://"],
    ),
    ("reference: {url: x}", ["unknown key 'reference.url'", "address"]),
    ("simulator: {seed: -4}", ["simulator.seed = -4", "greater than or equal to 0"]),
    ("snapshot_storage: {folder: ~nobody-has-this-name/x}", ["folder", "no such home folder"]),
    ("quality: {2024-01-01: 1}", ["holds what no configuration can", "keys must be"]),
    ("tickers: &a [*a]", ["holds what no configuration can"]),
    ("just words", ["should hold `key: value` lines", "'just words'"]),
    ("tickers: [SPX", ["is not valid YAML", "line"]),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, text: str, says: list[str]) -> None:
    message = _mistake(tmp_path, text)
    assert "\n" not in message
    assert str(tmp_path / "my.yaml") in message
    for part in says:
        assert part in message


def test_the_list_of_mistakes_covers_every_key() -> None:
    wrong = " ".join(text for text, _ in MISTAKES)
    not_covered = [
        key
        for key in yaml.safe_load(PACKAGED_CONFIG.read_text("utf-8"))
        if key not in wrong and key not in {"min_open_interest", "surface_history_minutes"}
    ]
    assert not_covered == []


def test_several_mistakes_are_one_line_each(tmp_path: Path) -> None:
    lines = _mistake(tmp_path, "feed: x\nmin_volume: -1\nnothing: 1\n").splitlines()
    assert len(lines) == 3
    for line, key in zip(lines, ["feed", "min_volume", "nothing"], strict=True):
        assert key in line


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"BOX_UPDATE_INTERVAL": "5"}, ["BOX_UPDATE_INTERVAL", "'update_interval_seconds'?"]),
        ({"BOX_DASHBOARD__PORT": "x"}, ["environment BOX_DASHBOARD__PORT", "port = 'x'"]),
        ({"BOX_TICKERS": "[SPX"}, ["environment BOX_TICKERS = '[SPX'", "not valid YAML"]),
        ({"BOX_FEED__X": "1"}, ["environment BOX_FEED__X", "feed", "string"]),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    tmp_path: Path, env: dict[str, str], says: list[str]
) -> None:
    message = _mistake(tmp_path, "", env)
    assert "\n" not in message
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000", "http://localhost:1/", "http://[::1]:8", "https://a.example"]
)
def test_encrypted_and_loopback_addresses_are_taken(tmp_path: Path, url: str) -> None:
    settings = _load(tmp_path, f"tastytrade: {{base_url: '{url}'}}")
    assert settings.model_dump()["tastytrade"]["base_url"] == url.rstrip("/")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.yaml: No such file") as caught:
        load_settings(tmp_path / "none.yaml", {})
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_bytes(b"feed: \xff\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(file, {})


def test_a_value_of_any_kind_gives_settings_or_a_clear_line(tmp_path: Path) -> None:
    values: list[Any] = [None, True, -1, 0, 1.5, "x", [], [[]], {}, {"a": 1}, float("inf")]
    for key in Settings.model_fields:
        for value in values:
            text = yaml.safe_dump({key: value})
            with contextlib.suppress(ConfigError):
                assert _load(tmp_path, text).universe().roots
