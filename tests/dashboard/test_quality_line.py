"""The quality of the quotes on the page: in plain words, of the snapshot and root that is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.desk import Desk
from live_box_spreads.dashboard import ids
from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.dashboard.panels import content
from live_box_spreads.dashboard.parts import PARTS
from live_box_spreads.dashboard.quality_line import _doubted, quality_line
from live_box_spreads.dashboard.term_lines import smooth_line
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.rates import Compounding
from tests.books.flat_market import EXPIRIES, flat_chain
from tests.dashboard.market import chain_at, newest
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from live_box_spreads.dashboard.market_view import MarketView

LINE = re.compile(
    r"Quotes of (?P<root>\w+) at (?P<days>[\d,]+) days: "
    r"kink (?P<kink>[+-]\d+\.\d\d) ± \d+\.\d\d points, "
    r"tilt (?P<tilt>[+-]\d+\.\d) ± \d+\.\d bp of the discount factor "
    r"\((?P<done>taken away|left in); ± 2 standard errors\); "
    r"(?P<doubted>none|\d+) of (?P<used>\d+) expiries doubted(?P<which>[^;]*)"
    r"(; (?P<left>[\d,]+) of [\d,]+ strikes left out)?"
)


def test_it_tells_the_kink_that_was_put_in() -> None:
    line = LINE.fullmatch(quality_line(Desk(flat_chain(kink=1.5)), "SPX"))
    assert line
    assert line["kink"] in {"+1.48", "+1.49", "+1.50", "+1.51", "+1.52"}
    assert (line["root"], line["days"], line["used"]) == ("SPX", "34", "11")
    assert (line["done"], line["doubted"], line["which"]) == ("taken away", "none", "")


def test_what_is_told_is_twice_the_standard_errors() -> None:
    desk = Desk(flat_chain(tilt=8e-4))
    row = desk.quality("SPX").row(0, named=True)
    line = quality_line(desk, "SPX")
    assert f"± {2 * row['kink_error_points']:.2f} points" in line
    assert f"± {2 * row['tilt_error_bps']:.1f} bp" in line


def test_doubted_expiries_are_named_the_worst_first_and_many_are_counted() -> None:
    odd = EXPIRIES[8]
    line = quality_line(Desk(flat_chain(off={odd: 0.005})), "SPX")
    assert re.search(rf"\d of 11 expiries doubted: {odd} \(\d+\.\d s\.e\. off\)", line)
    each = Desk(flat_chain()).expiry_quality("SPX")
    off = pl.Series([float(number) if number > 6 else nan for number in range(len(each))])
    many = each.with_columns(off_std_errors=off, is_doubted=off.is_finite())
    assert _doubted(many) == (
        f"4 of 11 expiries doubted: {EXPIRIES[10]} (10.0 s.e. off), {EXPIRIES[9]} (9.0 s.e. off), "
        f"{EXPIRIES[8]} (8.0 s.e. off), 1 more"
    )


def test_a_fit_that_leaves_the_errors_in_says_so() -> None:
    desk = Desk(flat_chain(kink=1.5), Conventions(fit=CurveFit.PER_EXPIRY))
    assert "(left in; " in quality_line(desk, "SPX")


def test_without_lines_it_says_why() -> None:
    desk = Desk(flat_chain(strikes=(6400.0, 6500.0, 6600.0)))
    assert quality_line(desk, "SPX") == (
        "Quotes of SPX: 11 of 11 expiries take no part: 3 two-sided strikes; a kinked line needs 6"
    )


def test_it_stands_over_the_term_structure_and_in_no_other_panel(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    shown = content(view, market, ids.TERM_STRUCTURE, Choices("SPXW"))
    assert LINE.fullmatch(shown.note)
    assert shown.note.startswith("Quotes of SPXW at 45 days")
    noted = {part.name for part in PARTS if "note" in part.outputs}
    assert noted == {ids.TERM_STRUCTURE}
    [part] = [part for part in PARTS if part.name == ids.TERM_STRUCTURE]
    controls = Choices("SPXW")
    assert part.draw(view, market, controls)["note"] == shown.note
    assert part.failed("a line")["note"] == ""


@pytest.mark.parametrize("fit", CurveFit)
def test_the_curve_is_drawn_with_its_errors_if_the_fair_rates_lie_on_it(fit: CurveFit) -> None:
    desk = Desk(flat_chain(), Conventions(fit=fit))
    line = smooth_line(desk.smooth("SPX"), Compounding.EFFECTIVE, fit)
    assert line is not None
    assert line.rates == pytest.approx(0.05, abs=1e-5)
    if fit is CurveFit.PER_EXPIRY:
        assert line.errors is None
    else:
        assert line.errors is not None
        assert 1e-4 < line.errors.min() < line.errors.max() < 20e-4


def test_a_curve_is_not_drawn_where_it_has_no_rate() -> None:
    smooth = Desk(flat_chain()).smooth("SPX")
    assert smooth is not None
    assert smooth_line(replace(smooth, posterior=_KnownFrom(9.0)), Compounding.EFFECTIVE) is None
    line = smooth_line(replace(smooth, posterior=_KnownFrom(0.1)), Compounding.EFFECTIVE)
    assert line is not None
    assert line.days.min() == pytest.approx(36.5, abs=3)


@dataclass(frozen=True)
class _KnownFrom:
    """Rates of 4 %, known from a time on."""

    years: float

    def at(self, years: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.full(years.size, 0.04), np.diag(np.where(years < self.years, 1.0, 1e-8))

    def left_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.array([]), np.array([])


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_every_real_root_has_a_line(path: Path) -> None:
    desk = Desk(read_cboe(path))
    for root in desk.loan_roots:
        line = LINE.fullmatch(quality_line(desk, root))
        assert line, quality_line(desk, root)
        row = desk.quality(root).row(0, named=True)
        assert line["doubted"] == (
            str(row["expiries_doubted"]) if row["expiries_doubted"] else "none"
        )
