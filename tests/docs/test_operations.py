"""docs/operations.md names every metric and every log event, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.collector.test_metrics import everything

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "live_box_spreads"
TEXT = (CHECKOUT / "docs" / "operations.md").read_text("utf-8")
LOGGING = ("collector", "dxlink", "feeds", "net", "service", "vendors")
"""The floors that a running collector or dashboard logs from."""


def _first_cells(heading: str) -> list[str]:
    """Return the names in the first column of the table below a heading."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([a-z_]+)[`{]", cell)]


def test_every_metric_is_documented_and_no_other() -> None:
    families = everything().collect()
    samples = {sample.name for family in families for sample in family.samples}
    assert set(_first_cells("Metrics")) == samples


def test_every_event_is_documented_and_no_other() -> None:
    sources = [
        file.read_text("utf-8") for part in LOGGING for file in (PACKAGE / part).rglob("*.py")
    ]
    call = re.compile(r'\b_?log\.(?:info|warning|error|exception)\(\s*"([a-z_]+)"')
    events = {event for source in sources for event in call.findall(source)}
    assert set(_first_cells("Logs")) == events
