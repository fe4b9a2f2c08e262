"""What the documents say is there, and is so."""

from __future__ import annotations

import ast
import re
from datetime import date, datetime
from pathlib import Path

import pytest

from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import (
    NEW_YORK,
    payment_date,
    premium_date,
    years_to_payment,
)

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")

CONVENTIONS = [
    Compounding.EFFECTIVE,
    Compounding.CONTINUOUS,
    Compounding.SIMPLE,
    Compounding.BOND_EQUIVALENT,
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_architecture_page_has_every_module_with_its_first_lines() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    package = ROOT / "live_box_spreads"
    rooms = re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    written = {
        f"{room}/{name}": text
        for room, rows in rooms
        for name, text in re.findall(r"^\| `(\w+\.py)` \| (.+) \|$", rows, re.MULTILINE)
    }
    modules = [file for file in package.glob("*/**/*.py") if file.name != "__init__.py"]
    rooms_of_code = {file for file in modules if "assets" not in file.parts}
    assert written == {
        str(file.relative_to(package)): _first_paragraph(file) for file in rooms_of_code
    }


def _first_paragraph(module: Path) -> str:
    told = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(told.split("\n\n")[0].split()).replace("``", "`")


def test_the_example_of_the_method_page() -> None:
    page = (ROOT / "docs/method.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:lend|mid|borrow)[^|]*\| ([\d.]+) \|(.+)\|$", page, re.MULTILINE)
    assert len(rows) == 3

    quoted = datetime(2026, 11, 24, 15, tzinfo=NEW_YORK)
    expiry = date(2027, 12, 17)
    assert (premium_date(quoted), payment_date(expiry)) == (date(2026, 11, 25), date(2027, 12, 20))
    years = years_to_payment(quoted, expiry, "AM")
    for cost, printed in rows:
        shown = [float(cell.strip(" %")) for cell in printed.split("|")]
        rates = [rate_from_discount(float(cost) / 1000, years, way) for way in CONVENTIONS]
        assert shown == [round(100 * rate, 3) for rate in rates]
