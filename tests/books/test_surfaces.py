from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.views.surfaces import strike_grid, volume_surface
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.quality import LegFlag, QualityRules
from tests.books.by_desk import box_table, rate_surface, rate_surfaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.boxspread import QuoteSide
    from live_box_spreads.model.chain import Chain


@pytest.fixture(scope="module")
def table(random_chain: Callable[..., Chain], expiry: date) -> BoxTable:
    return box_table(random_chain(5, 40), "SPX", expiry)


def test_strike_grid_cuts_the_range_of_moneyness_evenly() -> None:
    assert strike_grid(5000.0, 0.8, 1.2, 4).tolist() == [4000.0, 4500.0, 5000.0, 5500.0, 6000.0]


@pytest.mark.parametrize(
    "arguments",
    [(float("nan"), 0.8, 1.2, 4), (0.0, 0.8, 1.2, 4), (1.0, 1.2, 0.8, 4), (1.0, 0.8, 1.2, 0)],
)
def test_strike_grid_refuses_what_is_no_grid(arguments: tuple[float, float, float, int]) -> None:
    with pytest.raises(ModelError, match="no strike grid"):
        strike_grid(*arguments)


def boxes_in(table: BoxTable, low: float, high: float, *, closed: bool) -> list[dict[str, Any]]:
    return [
        box
        for box in table.frame.to_dicts()
        if low <= box["mid_strike"] < high or (closed and box["mid_strike"] == high)
    ]


def test_bid_and_ask_surfaces_show_the_best_box_of_each_cell(table: BoxTable) -> None:
    strikes = table.frame["mid_strike"]
    edges = np.linspace(strikes.min(), strikes.max(), 9)  # type: ignore[arg-type]
    for which, best in (("bid", min), ("ask", max)):
        surface = rate_surface([table], edges, which)  # type: ignore[arg-type]
        for cell in range(8):
            boxes = boxes_in(table, edges[cell], edges[cell + 1], closed=cell == 7)
            rates = [box[f"{which}_rate"] for box in boxes if not np.isnan(box[f"{which}_rate"])]
            assert surface.counts[0, cell] == len(rates)
            assert surface.values[0, cell] == best(rates)
        assert surface.counts.sum() > 100


def test_mid_surface_is_the_median_weighted_by_the_precision_of_quotes(table: BoxTable) -> None:
    edges = np.linspace(2000.0, 9000.0, 6)
    surface = rate_surface([table], edges, "mid")
    filled = 0
    for cell in range(5):
        boxes = boxes_in(table, edges[cell], edges[cell + 1], closed=cell == 4)
        quoted = sorted(
            (box["mid_rate"], (box["bid_rate"] - box["ask_rate"]) ** -2)
            for box in boxes
            if not np.isnan(box["mid_rate"])
        )
        assert surface.counts[0, cell] == len(quoted)
        if quoted:
            filled += 1
            half = sum(weight for _, weight in quoted) / 2
            reached = [sum(weight for _, weight in quoted[: at + 1]) for at in range(len(quoted))]
            middle = next(at for at, weight in enumerate(reached) if weight >= half)
            assert surface.values[0, cell] == quoted[middle][0]
    assert filled >= 4


def test_cells_that_tell_far_less_than_the_clearest_of_their_row_are_left_empty(
    table: BoxTable,
) -> None:
    edges = np.linspace(2000.0, 9000.0, 6)
    everything = rate_surface([table], edges, "mid")
    clear = rate_surface([table], edges, "mid", clear_within=1.5)
    errors = []
    for cell in range(5):
        boxes = boxes_in(table, edges[cell], edges[cell + 1], closed=cell == 4)
        spreads = [box["bid_rate"] - box["ask_rate"] for box in boxes]
        spreads = sorted(spread for spread in spreads if not np.isnan(spread))
        tight = spreads[: int((len(spreads) - 1) * 0.25) + 1]
        strikes = (2 * len(spreads)) ** 0.5
        errors.append(median(tight) / strikes**0.5 if tight else np.nan)
    shown = np.array(errors) <= 1.5 * np.nanmin(errors)
    assert 1 <= shown.sum() < 5
    np.testing.assert_array_equal(clear.values[0], np.where(shown, everything.values[0], np.nan))
    assert clear.unclear == np.isfinite(everything.values).sum() - shown.sum()
    assert (clear.counts == everything.counts).all()
    assert everything.unclear == 0


def test_empty_cells_are_holes_and_rows_follow_the_tables(
    random_chain: Callable[..., Chain], table: BoxTable, expiry: date
) -> None:
    later = random_chain(6, 20, snapshot_time=datetime(2026, 11, 25, 20, tzinfo=UTC))
    tables = [table, box_table(later, "SPX", expiry, rules=QualityRules(stale_after_secs=1e9))]
    edges = np.array([10.0, 20.0, 9000.0])
    surface = rate_surface(tables, edges, "mid", label="snapshot_time")
    assert np.isnan(surface.values[:, 0]).all()
    assert np.isfinite(surface.values[:, 1]).all()
    assert (surface.counts[:, 0] == 0).all()
    assert surface.strikes.tolist() == [15.0, 4510.0]
    assert surface.labels == ["2026-11-24T20:00:00+00:00", "2026-11-25T20:00:00+00:00"]
    assert surface.tte_years == pytest.approx([390 / 365, 388 / 365])  # Thanksgiving is between
    assert rate_surface(tables, edges, "mid").labels == ["2027-12-17"] * 2


def test_rates_of_one_pass_are_those_of_one_pass_each(
    random_chain: Callable[..., Chain], table: BoxTable, expiry: date
) -> None:
    tables = [table, box_table(random_chain(6, 20), "SPX", expiry)]
    edges = np.linspace(2000.0, 9000.0, 6)
    together = rate_surfaces(iter(tables), edges, ("bid", "mid", "ask"), clear_within=2.0)
    assert list(together) == ["bid", "mid", "ask"]
    for which, surface in together.items():
        alone = rate_surface(iter(tables), edges, which, clear_within=2.0)
        np.testing.assert_array_equal(surface.values, alone.values)
        np.testing.assert_array_equal(surface.counts, alone.counts)
        assert surface.unclear == alone.unclear
        assert surface.labels == alone.labels


@pytest.mark.parametrize("which", ["mid", "bid", "ask"])
def test_an_expiry_of_which_every_box_is_filtered_out_is_an_empty_row(
    table: BoxTable, random_chain: Callable[..., Chain], expiry: date, which: QuoteSide
) -> None:
    none = box_table(random_chain(5, 40), "SPX", expiry, filters=BoxFilters(min_volume=10**9))
    assert none.frame.is_empty()
    edges = np.linspace(2000.0, 9000.0, 6)
    surface = rate_surface([none, table, none], edges, which, clear_within=3.0)
    assert np.isnan(surface.values[[0, 2]]).all()
    assert np.isfinite(surface.values[1]).any()
    assert (surface.counts[[0, 2]] == 0).all()


def test_a_cell_of_locked_quotes_is_clear_and_hides_no_other(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    def legs(strike: float, half_spread: float) -> list[dict[str, Any]]:
        prices = {"C": 2000.0 + 0.96 * (6000.0 - strike), "P": 2000.0}
        return [
            {"strike": strike, "right": right, "bid": mid - half_spread, "ask": mid + half_spread}
            for right, mid in prices.items()
        ]

    locked = [row for strike in (3000.0, 4000.0) for row in legs(strike, 0.0)]
    quoted = [row for strike in (6000.0, 7000.0) for row in legs(strike, 0.25)]
    table = box_table(
        make_chain([*locked, *quoted]),
        "SPX",
        expiry,
        filters=BoxFilters(max_strike_gap=1000.0),
        rules=QualityRules(exclude=LegFlag(0)),
    )
    edges = np.array([3000.0, 5000.0, 7000.0])
    surface = rate_surface([table], edges, "mid", clear_within=3.0)
    assert surface.counts.tolist() == [[1, 1]]
    assert np.isfinite(surface.values).all()
    assert surface.unclear == 0


def test_no_tables_and_no_boxes_are_empty_surfaces(example: Chain, expiry: date) -> None:
    edges = np.array([10.0, 20.0])
    assert rate_surface([], edges, "mid").values.shape == (0, 1)
    surface = rate_surface([box_table(example, "SPX", expiry)], edges, "ask")
    assert np.isnan(surface.values).all()


def test_volume_surface_counts_each_contract_once(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    soon = date(2026, 12, 18)
    rows = [
        {"expiry": expiry, "strike": 90.0, "right": "C", "volume": 5},
        {"expiry": expiry, "strike": 90.0, "right": "P", "volume": 7},
        {"expiry": expiry, "strike": 100.0, "right": "C", "volume": None},
        {"expiry": expiry, "strike": 110.0, "right": "P", "volume": 0},
        {"expiry": soon, "strike": 120.0, "right": "P", "volume": 11},
        {"expiry": soon, "strike": 300.0, "right": "P", "volume": 999},  # beyond the edges
        {"expiry": soon, "strike": 90.0, "right": "P", "volume": 999, "root": "SPXW"},
    ]
    edges = np.array([85.0, 95.0, 105.0, 120.0])
    missing = soon + timedelta(days=1)
    chain = make_chain(rows)
    days = [soon, expiry, missing]
    surface = volume_surface(((chain, day) for day in days), "SPX", edges)
    nan = np.nan
    np.testing.assert_array_equal(surface.values, [[nan, nan, 11], [12, nan, 0], [nan] * 3])
    np.testing.assert_array_equal(surface.counts, [[0, 0, 1], [2, 0, 1], [0, 0, 0]])
    assert surface.labels == ["2026-12-18", "2027-12-17", "2026-12-19"]
    np.testing.assert_allclose(surface.tte_years, [26 / 365, 390 / 365, nan])
    by_time = volume_surface([(chain, soon)], "SPX", edges, label="snapshot_time")
    assert by_time.labels == ["2026-11-24T20:00:00+00:00"]
    assert volume_surface([], "SPX", edges).values.shape == (0, 3)
