"""Which reference rates a configuration names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from live_box_spreads.model.reference_curve import ParYieldCurve
from live_box_spreads.reference.fred import FredSource
from live_box_spreads.reference.sofr import SofrSource
from live_box_spreads.reference.treasury import TreasurySource
from live_box_spreads.settings import Settings, load_settings, make_reference


def _settings(folder: Path, text: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def test_by_default_there_is_no_reference() -> None:
    assert make_reference(load_settings(env={})) is None


def test_a_file_is_looked_for_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rates.csv").write_text("date,3m,1y\n2025-09-03,4.1,3.9\n", encoding="utf-8")
    settings = _settings(tmp_path, "reference: {source: file, file: rates.csv, max_age_days: 2}")
    monkeypatch.chdir(Path(__file__).parent)
    desk = make_reference(settings)
    assert desk is not None
    curve = desk.on(date(2025, 9, 5)).curve
    assert isinstance(curve, ParYieldCurve)
    assert (curve.name, curve.as_of) == ("rates", date(2025, 9, 3))
    assert "at most 2 are accepted" in desk.on(date(2025, 9, 6)).reason


def test_a_file_in_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = _settings(tmp_path, "reference: {source: file, file: ~/rates.csv}")
    assert settings.reference.file == tmp_path / "rates.csv"


@pytest.mark.parametrize(
    ("name", "kind", "address"),
    [
        ("treasury", TreasurySource, "https://home.treasury.gov"),
        ("fred", FredSource, "https://fred.stlouisfed.org"),
        ("sofr", SofrSource, "https://markets.newyorkfed.org"),
    ],
)
def test_a_publisher_is_asked_at_its_own_address_or_at_another(
    tmp_path: Path, name: str, kind: type, address: str
) -> None:
    for text, expected in (
        ("", address),
        (", address: 'http://127.0.0.1:9/'", "http://127.0.0.1:9"),
    ):
        desk = make_reference(_settings(tmp_path, f"reference: {{source: {name}{text}}}"))
        assert desk is not None
        assert isinstance(desk._source, kind)
        assert vars(desk._source)["_base_url"] == expected


def test_copies_are_kept_where_the_configuration_says(tmp_path: Path) -> None:
    text = "reference: {source: fred, address: 'http://127.0.0.1:9', cache_folder: kept}"
    desk = make_reference(_settings(tmp_path, text))
    assert desk is not None
    assert isinstance(desk._source, FredSource)
    assert desk._source._downloads._folder == tmp_path / "kept"
