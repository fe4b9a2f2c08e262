from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from live_box_spreads.books import desk
from live_box_spreads.books.views.surfaces import Survey, survey_boxes
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.dashboard.market_view import MarketView, reference_price
from live_box_spreads.model.rates import Compounding
from live_box_spreads.service.folder_watch import SnapshotFile
from live_box_spreads.service.history import HISTORY_ROWS
from tests.dashboard.market import NOON, SPOT, chain_at, newest

if TYPE_CHECKING:
    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.settings import Settings

EXPIRY = date(2025, 12, 19)


def test_an_empty_folder_has_no_market_and_is_no_fault(view: MarketView) -> None:
    newest = view.snapshots.newest()
    assert newest.market is None
    assert newest.notice == ""


def test_the_newest_snapshot_is_shown(view: MarketView) -> None:
    store = view.settings.store()
    store.write(chain_at(NOON - timedelta(minutes=5)))
    path = store.write(chain_at(NOON))
    market = newest(view)
    assert market is not None
    assert market.path == path
    assert market.chain.snapshot_time == NOON


def test_a_truncated_newest_snapshot_is_told_and_the_one_before_stays(view: MarketView) -> None:
    store = view.settings.store()
    good = store.write(chain_at(NOON - timedelta(minutes=5)))
    broken = store.write(chain_at(NOON))
    broken.write_bytes(broken.read_bytes()[:1000])
    newest = view.snapshots.newest()
    assert newest.market is not None
    assert newest.market.path == good
    assert broken.name in newest.notice


def test_a_folder_that_cannot_be_listed_is_told(view: MarketView) -> None:
    view.settings.snapshot_folder.parent.mkdir(exist_ok=True)
    view.settings.snapshot_folder.write_text("a file, not a folder")
    newest = view.snapshots.newest()
    assert newest.market is None
    assert "cannot be listed" in newest.notice


def test_a_person_s_minimum_volume_adds_to_the_configured_one(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    every = view.desk(market, BoxOptions()).boxes("SPXW", EXPIRY)
    traded = view.desk(market, BoxOptions(min_leg_volume=900)).boxes("SPXW", EXPIRY)
    assert 0 < len(traded.frame) < len(every.frame)
    assert traded.frame["min_leg_volume"].min() >= 900  # type: ignore[operator] # a number


@pytest.mark.parametrize(
    ("configured", "chosen", "least"), [(900, 0, 900), (900, 10, 900), (10, 900, 900)]
)
def test_the_larger_of_the_configured_and_the_chosen_volume_counts(
    settings: Settings, configured: int, chosen: int, least: int
) -> None:
    view = MarketView(settings.model_copy(update={"min_volume": configured}))
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    shown = view.desk(market, BoxOptions(min_leg_volume=chosen)).boxes("SPXW", EXPIRY).frame
    every = MarketView(settings).desk(market, BoxOptions()).boxes("SPXW", EXPIRY).frame
    assert len(shown) == len(every.filter(every["min_leg_volume"] >= least))
    assert 0 < len(shown) < len(every)


def test_a_new_snapshot_is_computed_for_open_pages_before_they_ask(
    view: MarketView, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveyed: list[date] = []

    def survey(table: BoxTable, *more: Any) -> Survey:
        surveyed.append(table.expiry)
        return survey_boxes(table, *more)

    monkeypatch.setattr(desk, "survey_boxes", survey)
    new = SnapshotFile(view.settings.store().write(chain_at()), (0, 0, 0, 0))
    view.receive(new)
    assert surveyed == []  # no page is open
    view.note_shown(Choices("SPXW"))
    view.note_shown(Choices("ABSENT"))
    view.receive(new)
    assert len(surveyed) == 3
    market = newest(view)
    assert market is not None
    assert [each.kept > 0 for each in view.survey(market, Choices("SPXW"))] == [True] * 3
    assert len(surveyed) == 3


def test_compounding_is_that_of_the_choice(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    options = BoxOptions(Compounding.CONTINUOUS)
    rates = view.desk(market, options).boxes("SPXW", EXPIRY).frame["mid_rate"]
    assert rates.median() == pytest.approx(0.0392207, abs=1e-6)  # ln 1.04


def test_surveys_are_in_the_order_of_the_expiries(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    surveys = view.survey(market, Choices("SPXW"))
    assert [survey.expiry.isoformat() for survey in surveys] == [
        "2025-10-17",
        "2025-12-19",
        "2026-09-18",
    ]


def test_history_is_thinned_but_keeps_window_and_newest(view: MarketView) -> None:
    store = view.settings.store()
    small = [4900.0, 5000.0]
    for minutes in range(100, -1, -1):
        time = NOON - timedelta(minutes=minutes)
        store.write(chain_at(time, strikes=small, roots=["SPXW"]))
    market = newest(view)
    assert market is not None
    times = [past.chain.snapshot_time for past in view.snapshots.history(market, minutes=80)]
    assert times == sorted(times)
    assert times[-1] == NOON
    assert times[0] >= NOON - timedelta(minutes=80)
    assert HISTORY_ROWS - 1 <= len(times) <= HISTORY_ROWS + 1


def test_history_leaves_out_what_cannot_be_read(view: MarketView) -> None:
    store = view.settings.store()
    store.write(chain_at(NOON - timedelta(minutes=2))).write_bytes(b"broken")
    store.write(chain_at(NOON))
    market = newest(view)
    assert market is not None
    assert [past.chain.snapshot_time for past in view.snapshots.history(market, minutes=60)] == [
        NOON
    ]


def test_the_strike_grid_does_not_move_with_a_tick(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    market = newest(view)
    assert market is not None
    edges = view.strike_edges(market, "SPXW")
    low, high = view.settings.strike_moneyness
    assert edges[0] == pytest.approx(low * SPOT, rel=0.011)
    assert edges[-1] == pytest.approx(high * SPOT, rel=0.011)


def test_without_a_spot_the_middle_strike_stands_in() -> None:
    chain = chain_at(strikes=[90.0, 100.0, 130.0])
    assert reference_price(chain, "SPXW") == SPOT
    assert reference_price(type(chain)(chain.quotes, NOON, "test", chain.timeliness), "SPXW") == 100
