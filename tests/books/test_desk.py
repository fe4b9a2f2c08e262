"""The desk computes each thing once, whatever is asked in which order and from which thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from live_box_spreads.books import desk as module
from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.search import Search
from live_box_spreads.books.boxes.table import BOX_COLUMNS, LEG_QUOTE_COLUMNS
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.desk import Desk, Results
from live_box_spreads.books.strikes import blocks
from live_box_spreads.boxspread import BoxSpread
from live_box_spreads.model.errors import ChainError, ModelError, UnknownRootError
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis
from tests.dashboard.market import NOON, chain_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from live_box_spreads.model.chain import Chain


class Calls:
    """Counts the calls of a function and passes them on."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.count = 0
        self._function = function

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.count += 1
        return self._function(*args, **more)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], Calls]:
    def count(where: Any, name: str) -> Calls:
        calls = Calls(getattr(where, name))
        monkeypatch.setattr(where, name, calls)
        return calls

    return count


@pytest.fixture(scope="module")
def chain() -> Chain:
    return chain_at()


EXPIRIES = chain_at().expiries("SPXW")
EDGES = np.linspace(3600.0, 6400.0, 9)


def everything(desk: Desk, root: str = "SPXW") -> dict[str, pl.DataFrame]:
    """Ask a desk for each of its tables."""
    expiry = EXPIRIES[1]
    row = desk.survey(root, expiry, EDGES).rows["mid"]
    return {
        "band": desk.band(root),
        "curve": desk.curve(root),
        "headline": desk.headline(root),
        "boxes": desk.boxes(root, expiry).frame,
        "lend": desk.best(Search("lend"), root).frame,
        "borrow": desk.best(Search("borrow", min_size=5), root).frame,
        "terms": desk.term_structure(root, centre=1.0, band=0.05),
        "skew": desk.skew(root, expiry, 100),
        "survey": desk.band(root).select("root").with_columns(mid=float(np.nansum(row.values))),
    }


def by_root(root: str) -> BoxFilters:
    return BoxFilters(min_strike_gap=200.0) if root == "SPXW" else BoxFilters(min_volume=5)


CHANGES: list[dict[str, Any]] = [
    {},
    {"compounding": Compounding.SIMPLE},
    {"basis": TimeBasis.EXPIRY_INSTANT},
    {"filters": BoxFilters(min_strike_gap=100.0, max_abs_rate=0.25)},
    {"filters": by_root},
    {"filters": lambda root: BoxFilters(min_volume=900 if root == "SPXW" else 0)},
    {"rules": QualityRules(max_half_spread_points=0.4, exclude=LegFlag.WIDE)},
]


def test_desks_of_other_conventions_share_only_what_does_not_depend_on_them(chain: Chain) -> None:
    shared = Desk(chain)
    for change in [*CHANGES, *reversed(CHANGES)]:
        found = everything(shared.under(**change))
        for name, fresh in everything(Desk(chain, Conventions(**change))).items():
            assert_frame_equal(found[name], fresh)


def test_strikes_are_paired_and_lines_fitted_once_a_root(
    chain: Chain, counted: Callable[[Any, str], Calls]
) -> None:
    pairing, curves = counted(blocks, "synthetics_by_expiry"), counted(module, "curve_table")
    joint, alone = counted(module, "joint_curves"), counted(module, "parity_fits")
    desk = Desk(chain)
    for change in CHANGES[:-1]:  # the last one changes the rules
        everything(desk.under(**change))
    assert (pairing.count, joint.count, alone.count) == (1, 1, 0)
    assert curves.count == len(CHANGES) - 1
    for change in CHANGES[:-1]:
        everything(desk.under(fit=CurveFit.PER_EXPIRY, **change))
    assert (pairing.count, joint.count, alone.count) == (1, 1, 1)
    everything(desk, "XSP")
    assert (pairing.count, joint.count) == (2, 2)


def test_threads_that_ask_at_once_compute_once(
    chain: Chain, counted: Callable[[Any, str], Calls]
) -> None:
    names = ("curve_table", "opportunities", "survey_boxes", "joint_curves")
    calls = [counted(module, name) for name in names]
    desk, at_once = Desk(chain), Barrier(8)

    def ask(_: int) -> dict[str, pl.DataFrame]:
        at_once.wait(10)
        return everything(desk)

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(ask, range(8))
    assert [call.count for call in calls] == [1, 2, 1, 1]  # best boxes of two sides
    for other in others:
        for name, frame in first.items():
            assert_frame_equal(other[name], frame)


def test_a_bound_on_what_is_kept_changes_no_number(chain: Chain) -> None:
    found, fresh = everything(Desk(chain, results=Results(max_bytes=1))), everything(Desk(chain))
    for name, frame in found.items():
        assert_frame_equal(frame, fresh[name])


def test_desks_of_several_chains_share_a_store_and_no_result(chain: Chain) -> None:
    other = chain_at(NOON.replace(hour=19), strikes=tuple(np.linspace(4000, 6000, 21)))
    results = Results()
    desks = {
        name: Desk(quotes, results=results, identity=name)
        for name, quotes in {"one": chain, "other": other}.items()
    }
    assert len(desks["one"].boxes("SPXW", EXPIRIES[0]).frame) == 57 * 56 // 2
    assert len(desks["other"].boxes("SPXW", EXPIRIES[0]).frame) == 21 * 20 // 2
    unnamed = Desk(chain, results=results), Desk(other, results=results)
    assert len(unnamed[0].curve("XSP")) == len(unnamed[1].curve("XSP")) == 3
    assert (
        unnamed[0].strikes("XSP").blocks.strike.size > unnamed[1].strikes("XSP").blocks.strike.size
    )


def test_a_named_chain_finds_what_was_computed_of_it_before(
    chain: Chain, counted: Callable[[Any, str], Calls]
) -> None:
    calls, results = counted(module, "survey_boxes"), Results()
    for _ in range(2):
        Desk(chain, results=results, identity="a").survey("SPXW", EXPIRIES[0], EDGES)
    assert calls.count == 1


def test_an_error_is_raised_each_time_and_not_kept(chain: Chain) -> None:
    desk = Desk(chain)
    for _ in range(2):
        with pytest.raises(ChainError, match=r"no root 'SPY'.*SPXW, XSP"):
            desk.curve("SPY")
    with pytest.raises(ChainError, match="SPXW has no expiry 2030-01-18; the nearest are"):
        desk.boxes("SPXW", EXPIRIES[0].replace(year=2030, month=1, day=18))


def test_a_root_of_unknown_style_is_priced_only_if_asked(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    rows = [{**row, "root": "ABC", "underlying": "ABC"} for row in example.quotes.to_dicts()]
    desk = Desk(make_chain(rows))
    assert desk.loan_roots == []
    with pytest.raises(UnknownRootError):
        desk.boxes("ABC", expiry)
    assert len(desk.boxes("ABC", expiry, allow_american=True).frame)
    assert set(desk.curve("ABC")["reason"]) == {
        "a box is no loan: the root is not known to be European"
    }


def test_a_row_of_the_table_is_the_box_of_the_desk(chain: Chain) -> None:
    desk = Desk(chain)
    frame = desk.boxes("SPXW", EXPIRIES[1], columns=[*BOX_COLUMNS, *LEG_QUOTE_COLUMNS]).frame
    for row in (frame.row(0, named=True), frame.row(700, named=True), frame.row(-1, named=True)):
        box = desk.box("SPXW", EXPIRIES[1], row["kl"], row["ks"])
        # The chain says PM; a row of the table leaves that to the product, which says the same.
        assert box == BoxSpread.from_row(row)
        assert (box.bid_cost, box.ask_cost) == pytest.approx((row["bid_cost"], row["ask_cost"]))
        assert box.mid_rate == pytest.approx(row["mid_rate"])


def test_strikes_may_be_whole_numbers(chain: Chain) -> None:
    desk = Desk(chain)
    box = desk.box("SPXW", EXPIRIES[1], 4900, 5000)
    assert box == desk.box("SPXW", EXPIRIES[1], 4900.0, 5000.0)
    with pytest.raises(ModelError, match=r"no .* at strike 1$"):
        desk.box("SPXW", EXPIRIES[1], 1, 5000)


def test_a_frame_that_is_changed_by_one_is_not_changed_for_others(chain: Chain) -> None:
    desk = Desk(chain)
    desk.band("XSP").insert_column(0, pl.Series("other", [1, 2, 3]))
    assert "other" not in desk.band("XSP").columns


def test_a_root_that_is_not_there_has_no_term_structure(chain: Chain) -> None:
    with pytest.raises(ChainError, match="no root 'ZZZ'"):
        Desk(chain).term_structure("ZZZ", centre=1.0, band=0.05)
