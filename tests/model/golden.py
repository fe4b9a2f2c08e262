"""Read the golden answers."""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def golden_rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))
