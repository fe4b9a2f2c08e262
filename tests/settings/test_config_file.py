"""The shipped config.yaml: complete, commented, documented, and equal to the defaults."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import yaml
from pydantic import BaseModel

from live_box_spreads.settings import PACKAGED_CONFIG, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def _models(annotation: object) -> list[type[BaseModel]]:
    candidates = (annotation, *get_args(annotation))
    return [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key that takes a value: dotted, as the documentation writes it."""
    for name, field in model.model_fields.items():
        below = _models(field.annotation)
        if not below or "tuple" in str(field.annotation):
            yield prefix + name
        for section in below:
            yield from _keys(section, f"{prefix}{name}.")


KEYS = sorted(_keys(Settings))


def test_there_are_keys_of_all_depths() -> None:
    assert {"feed", "quality.exclude", "moneyness_bands", "moneyness_bands.centre"} <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_documented(key: str) -> None:
    text = DOCUMENTATION.read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \|.*\| (.+) \|$", text, re.MULTILINE)
    explanation = dict(rows).get(key, "")
    assert len(explanation) > 10, f"{key} has no row in {DOCUMENTATION.name}"


def test_nothing_is_documented_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert set(rows) == set(KEYS)


def test_each_flag_is_documented() -> None:
    from live_box_spreads.model.quality import LegFlag  # noqa: PLC0415

    text = DOCUMENTATION.read_text("utf-8")
    missing = [flag.name for flag in LegFlag if f"`{str(flag.name).lower()}`" not in text]
    assert missing == []


@pytest.mark.parametrize("key", [key for key in KEYS if not key.startswith("moneyness_bands.")])
def test_each_key_is_in_the_file_below_a_comment(key: str) -> None:
    section, _, name = key.rpartition(".")
    lines = PACKAGED_CONFIG.read_text("utf-8").splitlines()
    first = lines.index(f"{section}:") if section else 0
    indent = "  " if section else ""
    at = [i for i, line in enumerate(lines) if i >= first and line.startswith(f"{indent}{name}:")]
    at = at[:1] if section else at  # the next section may have a key of that name
    assert len(at) == 1, f"{key} should be in {PACKAGED_CONFIG.name} once"
    above = lines[at[0] - 1].strip()
    assert above.startswith("# ") or key == "dashboard.port", f"{key} has no comment"


def test_the_file_has_every_key_and_no_other() -> None:
    data = yaml.safe_load(PACKAGED_CONFIG.read_text("utf-8"))
    assert set(data) == set(Settings.model_fields)


def test_the_file_shows_the_defaults() -> None:
    data = yaml.safe_load(PACKAGED_CONFIG.read_text("utf-8"))
    shown = Settings.model_validate_json(json.dumps(data), strict=True)
    assert shown == Settings()


def test_the_default_snapshot_folder_is_beside_the_file() -> None:
    folder = load_settings(env={}).snapshot_folder
    assert folder == PACKAGED_CONFIG.parent / "data" / "live_snapshots"
