"""The reference on the page: told with its day, drawn where it is known, and a word where not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dashboard import ids, status
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.dashboard.panels import content
from live_box_spreads.dashboard.term_lines import reference_label, reference_line
from live_box_spreads.dashboard.tiles import tiles
from live_box_spreads.model.rates import Compounding
from live_box_spreads.reference.history import History
from live_box_spreads.settings import load_settings
from tests.dashboard.market import chain_at, newest

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.service.snapshots import Market

CHOICES = Choices("SPXW")


def _view(folder: Path, rates: str) -> tuple[MarketView, Market]:
    (folder / "governments.csv").write_text(rates, encoding="utf-8")
    (folder / "my.yaml").write_text(
        "snapshot_storage: {folder: kept}\nreference: {source: file, file: governments.csv}\n",
        encoding="utf-8",
    )
    view = MarketView(load_settings(folder / "my.yaml", {}))
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    return view, market


@pytest.fixture
def compared(tmp_path: Path) -> tuple[MarketView, Market]:
    """Governments at 3.6 % semi-annual, the day before the snapshot."""
    return _view(tmp_path, "date,3m,1y,2y\n2025-09-03,3.6,3.6,3.6\n")


def test_the_curve_has_the_reference_of_each_loan(compared: tuple[MarketView, Market]) -> None:
    view, market = compared
    rows = (
        view.compared_desk(market, BoxOptions(Compounding.BOND_EQUIVALENT)).curve("SPXW").to_dicts()
    )
    short, middle, long = (row["reference_rate"] for row in rows)
    assert short != short  # noqa: PLR0124, NaN: 45 days are less than three months
    assert middle == pytest.approx(0.036, abs=3e-4)
    assert long == pytest.approx(0.036, abs=1e-6)
    # 4 % effective is 2 * (sqrt(1.04) - 1) = 3.9608 % semi-annual.
    assert rows[2]["spread_bps"] == pytest.approx(36.08, abs=0.3)


def test_it_is_drawn_from_its_shortest_tenor_on(compared: tuple[MarketView, Market]) -> None:
    view, market = compared
    reference = view.reference(market)
    assert reference_label(reference) == "governments, 03 Sep 2025"
    line = reference_line(reference, market, [45.0, 381.0], Compounding.BOND_EQUIVALENT)
    assert line is not None
    assert 91 <= line.days[0] < 100
    assert line.days[-1] == 381
    assert line.rates == pytest.approx(0.036, abs=5e-4)
    assert reference_line(reference, market, [7.0, 45.0], Compounding.EFFECTIVE) is None
    assert reference_line(reference, market, [], Compounding.EFFECTIVE) is None


def test_panel_and_version_tell_its_day(compared: tuple[MarketView, Market]) -> None:
    view, _ = compared
    shown = content(view, newest(view), ids.TERM_STRUCTURE, CHOICES)
    assert shown.caption.startswith("Reference: governments, 03 Sep 2025 · Mid median at ")
    assert shown.figure is not None
    assert "Reference" in {trace.name for trace in shown.figure.data}
    assert (
        status.version(view, view.snapshots.newest(), 0.0)["reference"]
        == "governments, 03 Sep 2025"
    )


def test_an_overnight_rate_is_said_to_be_held_flat_wherever_it_is_a_reference(
    tmp_path: Path,
) -> None:
    view, market = _view(tmp_path, "date,rate\n2025-09-03,4.4\n")
    shown = content(view, market, ids.TERM_STRUCTURE, CHOICES)
    assert shown.caption.startswith("Reference: governments, overnight held flat, 03 Sep 2025")
    assert shown.figure is not None
    assert "Reference, held flat" in {trace.name for trace in shown.figure.data}
    table = view.compared_desk(market, BoxOptions()).curve("SPXW")
    assert set(table["reference_name"]) == {"governments, overnight held flat"}
    assert "over ref. held flat, 03 Sep" in str(tiles(view, market, CHOICES))


def test_the_name_says_that_a_rate_is_held_flat_whoever_gave_it() -> None:
    day = date(2025, 9, 3)
    for name, told in (("SOFR", "SOFR, held flat"), ("SOFR held flat", "SOFR held flat")):
        curve = History(name, "a test", {day: 0.044}).on(day, 7).curve
        assert curve is not None
        assert curve.name == told


def test_without_one_the_reason_is_told_and_nothing_is_drawn(tmp_path: Path) -> None:
    view, market = _view(tmp_path, "date,3m,1y,2y\n2024-09-03,3.6,3.6,3.6\n")
    assert view.reference(market).curve is None
    shown = content(view, newest(view), ids.TERM_STRUCTURE, CHOICES)
    assert shown.caption.startswith("No reference: the newest rates of")
    assert "2024-09-03" in shown.caption
    assert shown.figure is not None
    assert "Reference" not in {trace.name for trace in shown.figure.data}
    assert "spread_bps" not in view.compared_desk(market, BoxOptions()).curve("SPXW").columns


def test_nothing_is_said_where_none_is_configured(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    caption = content(view, newest(view), ids.TERM_STRUCTURE, CHOICES).caption
    assert caption == "Mid median at 95.0% to 105.0% of spot"
    assert status.version(view, view.snapshots.newest(), 0.0)["reference"] == ""
