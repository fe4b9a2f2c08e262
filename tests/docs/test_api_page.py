"""The examples of the API page run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import live_box_spreads
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.dashboard.market import DAYS, RATE, chain_at

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
TREASURIES = PAGE.parents[1] / "tests" / "reference" / "formats" / "treasury_2025.csv"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the blocks one after the other, where the files that they name are."""
    folder = tmp_path_factory.mktemp("api")
    SnapshotStore(folder).write(chain_at())
    (folder / "treasury_2025.csv").write_bytes(TREASURIES.read_bytes())
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), found)  # noqa: S102, our own page
    return found


def test_the_curve_is_beside_the_treasuries_of_the_day(names: dict[str, Any]) -> None:
    rates = names["rates"]
    assert rates["days"].to_list() == list(DAYS.values())
    # Boxes at 3.96 % semi-annual, the Treasury's one-year par yield at 3.77 %.
    assert rates["spread_bps"].to_list()[-1] == pytest.approx(19.5, abs=1)


def test_a_loan_has_a_price(names: dict[str, Any]) -> None:
    assert names["box_price"] == pytest.approx(1000 / (1.0381 + 0.0030) ** (364 / 365), abs=0.2)


def test_the_best_boxes_are_on_either_side_of_the_market_s_rate(names: dict[str, Any]) -> None:
    band, best = names["band"], names["best"].frame
    assert (band["lend_rate"] < RATE).all()
    assert (band["borrow_rate"] > RATE).all()
    assert (best["net_rate"] > RATE).all()
    assert best["size"].min() >= 5
    assert set(best["side"]) == {"borrow"}


def test_the_order_is_for_the_first_of_the_best_boxes(names: dict[str, Any]) -> None:
    first, order = names["best"].frame.row(0, named=True), names["order"]
    assert (order.boxes, order.price_effect) == (5, "Credit")
    assert order.limit_price == pytest.approx(first["price"], abs=0.05)
    assert order.limit_price <= first["price"] + 1e-9


def test_the_page_imports_public_names() -> None:
    text = PAGE.read_text("utf-8")
    imports = re.findall(r"^from live_box_spreads(\S*) import (.+)$", text, re.MULTILINE)
    assert len(imports) >= 5
    for module, imported in imports:
        assert not module
        assert set(imported.split(", ")) <= set(live_box_spreads.__all__)


def test_every_name_of_the_table_is_there() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| [^|]+ \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    written = [re.findall(r"`([\w.]+)`", cell) for cell in rows[1:]]
    assert sum(map(len, written)) >= 10
    for name in (name for group in written for name in group):
        found: Any = live_box_spreads
        for part in name.split("."):
            found = getattr(found, part)
