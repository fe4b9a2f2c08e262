"""Every number of the configuration at its extremes, and texts that would fill a machine."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from live_box_spreads.model.errors import ConfigError, CredentialsError
from live_box_spreads.settings import Settings, environment, load_settings
from live_box_spreads.settings.plain_yaml import YamlMistake, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXTREMES = [
    "0",
    "-1",
    "1.0e-300",
    "1.0e+300",
    ".nan",
    ".inf",
    "-.inf",
    "9" * 400,
    "0x" + "f" * 5000,
]
MAY_BE_ZERO = {
    "expiries_per_ticker",
    "min_volume",
    "min_open_interest",
    "simulator.seed",
    "reference.max_age_days",
}


def _numbers(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the path of every key whose value is a number."""
    for name, field in model.model_fields.items():
        parts = {field.annotation, *get_args(field.annotation)}
        kinds = {part for part in parts if isinstance(part, type)}
        for section in (kind for kind in kinds if issubclass(kind, BaseModel)):
            if section not in get_args(field.annotation):  # not a list of sections
                yield from _numbers(section, f"{above}{name}.")
        if kinds & {int, float}:
            yield above + name


NUMBERS = [*_numbers(Settings), "min_strike_gap", "max_strike_gap"]


def _text(path: str, value: str) -> str:
    *parents, last = path.split(".")
    text = f"{last}: {value}"
    for parent in reversed(parents):
        text = f"{parent}: {{{text}}}"
    return text + "\n"


def _load(folder: Path, text: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def _mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        _load(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    assert message.isprintable()
    return message


def test_the_table_has_every_number() -> None:
    assert {"update_interval_seconds", "quality.stale_after_secs", "cboe.interval_secs"} < set(
        NUMBERS
    )
    assert len(NUMBERS) >= 17


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize("path", NUMBERS)
def test_an_extreme_number_is_one_line(tmp_path: Path, path: str, value: str) -> None:
    if value == "0" and path in MAY_BE_ZERO:
        assert _load(tmp_path, _text(path, value)).tickers
        return
    message = _mistake(tmp_path, _text(path, value))
    if not value.startswith("0x"):  # a number beyond what JSON can write
        assert path in message or path.rsplit(".", maxsplit=1)[-1] in message


@pytest.mark.parametrize("value", ["0", "-1", "1.0e-300", "1.0e+300", ".nan", ".inf"])
@pytest.mark.parametrize("key", ["centre", "half_width"])
def test_an_extreme_band_is_one_line(tmp_path: Path, key: str, value: str) -> None:
    band = {"name": "a", "centre": "1", "half_width": "0.1"} | {key: value}
    inner = ", ".join(f"{name}: {told}" for name, told in band.items())
    assert f"moneyness_bands.0.{key}" in _mistake(tmp_path, f"moneyness_bands: [{{{inner}}}]")


@pytest.mark.parametrize("pair", ["[-1, 1]", "[0, 1.0e+300]", "[.nan, 1]", "[0, .inf]", "[0, 0]"])
def test_an_extreme_pair_of_strikes_is_one_line(tmp_path: Path, pair: str) -> None:
    assert "strike_moneyness" in _mistake(tmp_path, f"strike_moneyness: {pair}")


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {k: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "more than 10,000 values"),
        (MERGES, "merge keys"),
        ("a: " + "[" * 20_000, "more than 20 levels"),
        ("a: " + "[" * 30 + "]" * 30, "more than 20 levels"),
        ("tickers: [" + "SPX," * 20_000 + "]", "more than 10,000 values"),
        ("# " + "x" * 200_000, "larger than 100 kB"),
        ("feed: simulated\ndashboard: {port: 1}\nfeed: replay", "'feed' is there twice"),
        (
            "quality: {stale_after_secs: 1, stale_after_secs: 2}",
            "'stale_after_secs' is there twice",
        ),
        ("feed: 2024-13-99", "not valid YAML"),
        ("? [a, b]\n: 1", "not valid YAML"),
        ("feed: \x1b[31m", "not valid YAML"),
        ('feed: "\\e[31m"', "no feed"),
        ('"\\e[31m": 1', "unknown key"),
        ("x" * 900 + ": 1", "unknown key 'xxx"),
        ("feed: " + "x" * 90_000, "no feed"),
        ('snapshot_storage: {folder: "a\\0b"}', "control character"),
        ('reference: {source: file, file: "a\\nb"}', "control character"),
        ("replay: {folder: " + "x" * 5000 + "}", "5,000 characters"),
        ('moneyness_bands: [{name: "\\a", centre: 1, half_width: 1}]', "control character"),
        ("moneyness_bands: [{name: " + "x" * 300 + ", centre: 1, half_width: 1}]", "200"),
        ("dashboard: {host: '[::1]'}", "::1"),
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_is_too_much_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in _mistake(tmp_path, text)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://a.example/?key=1", "end it before ?"),
        ("https://a.example/#x", "end it before ?"),
        ("https://user:topsecret@a.example", "user name or password"),
        ("https://a.example:99999", "port 99999 is out of range"),
        ("https://[::1", "no web address"),
        ("https://a .example", "without spaces"),
        ("https://a.example/\\x1b", "control characters"),
        ("https://" + "a" * 600, "control characters"),
    ],
)
@pytest.mark.parametrize("key", ["tastytrade.base_url", "cboe.base_url", "reference.address"])
def test_an_address_is_an_address_and_nothing_else(
    tmp_path: Path, key: str, url: str, says: str
) -> None:
    message = _mistake(tmp_path, _text(key, f'"{url}"'))
    assert says in message
    assert key in message
    assert "topsecret" not in message


def test_a_loopback_address_of_each_family_is_taken(tmp_path: Path) -> None:
    for host in ("::1", "127.0.0.1", "localhost"):
        assert _load(tmp_path, f"dashboard: {{host: '{host}'}}").dashboard.host == host


@pytest.mark.skipif(os.name != "posix", reason="no FIFOs among files here")
def test_a_fifo_is_no_configuration(tmp_path: Path) -> None:
    fifo = tmp_path / "my.yaml"
    os.mkfifo(fifo)
    with pytest.raises(ConfigError, match=r"my\.yaml: it is a pipe or socket"):
        load_settings(fifo, {})


@pytest.mark.skipif(os.name != "posix", reason="no FIFOs among files here")
def test_a_dotenv_is_a_small_text_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    os.mkfifo(file, 0o600)
    with pytest.raises(CredentialsError, match="it is a pipe or socket"):
        environment({}, [tmp_path])
    file.unlink()
    for content, says in ((b"A=" + b"x" * 200_000, "larger than 100 kB"), (b"A=\0", "NUL")):
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(CredentialsError, match=says):
            environment({}, [tmp_path])
    file.unlink()
    file.mkdir()  # somebody's virtual environment
    assert environment({}, [tmp_path]) == {}


def test_a_long_variable_is_shown_by_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("")
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {"BOX_FEED": "[" * 50_000, "BOX_TICKERS": "[SPX]"})
    assert len(str(caught.value)) < 500


def text_of_yaml(most: int) -> st.SearchStrategy[str]:
    """Draw a text; not 0E0 and its kind, which YAML 1.1 takes for text and we for a number."""
    power = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
    return st.text(max_size=most).filter(lambda text: not power.fullmatch(text))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text_of_yaml(20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text_of_yaml(5), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)  # a busy machine is no failure
@given(VALUES)
def test_what_yaml_writes_is_read_as_yaml_reads_it(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert repr(read_yaml(text)) == repr(yaml.safe_load(text))


@pytest.mark.parametrize(("text", "number"), [("0E0", 0.0), ("1e-3", 0.001), ("{2E1: 1}", {20: 1})])
def test_a_power_of_ten_without_a_point_is_a_number(text: str, number: object) -> None:
    assert read_yaml(text) == number


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(st.sampled_from("ab:&*<[]{}-,'\"!?|>%@#0.19e \n\t\x00é"), max_size=60))
def test_any_text_is_a_value_or_one_line(text: str) -> None:
    mistake = ""
    try:
        read_yaml(text)
    except YamlMistake as error:
        mistake = str(error)
    assert mistake.isprintable()
