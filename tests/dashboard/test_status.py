from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dashboard import status
from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.model.chain import Timeliness
from tests.dashboard.market import NOON, chain_at, newest

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView


def version(view: MarketView) -> status.Version:
    return status.version(view, view.snapshots.newest(), now_secs=1.5)


def test_a_page_without_data_says_so(view: MarketView) -> None:
    assert version(view) == {"snapshot": "", "notice": "", "reference": "", "published": 1.5}
    assert status.header(view, newest(view), Choices("SPX"))["badge"] == "no data"
    assert status.expiry_choice(newest(view), "SPX", None) == ([], None)
    assert status.notice(version(view)) is None


@pytest.mark.parametrize("timeliness", list(Timeliness))
def test_the_badge_names_the_feed_and_its_timeliness(
    view: MarketView, timeliness: Timeliness
) -> None:
    view.settings.store().write(chain_at(timeliness=timeliness))
    header = status.header(view, newest(view), Choices("SPXW"))
    assert header["badge"] == f"{timeliness.value} · test"
    assert header["label"] == "04 Sep 2025 18:15:00 UTC"
    assert header["spot"] == "5,000.00"
    assert header["contracts"] == "684"  # 2 roots, 3 expiries, 57 strikes, 2 rights


def test_each_timeliness_has_a_colour_of_its_own() -> None:
    assert len(set(status.BADGE_COLOURS.values())) == len(Timeliness)


def test_kept_and_removed_boxes_make_up_all_pairs(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    kept, every = (
        status.header(view, newest(view), Choices("SPXW"))["boxes"].replace(",", "").split(" of ")
    )
    assert int(every) == 3 * 57 * 56 // 2
    assert 0 < int(kept) < int(every)


def test_a_broken_snapshot_gives_a_notice(view: MarketView) -> None:
    store = view.settings.store()
    store.write(chain_at()).write_bytes(b"")
    assert "cannot be read" in version(view)["notice"]
    assert status.notice(version(view)) is not None


def test_a_snapshot_whose_stream_was_down_gives_a_notice(view: MarketView) -> None:
    store = view.settings.store()
    store.write(chain_at())
    assert status.notice(version(view)) is None
    notes = {"stream_lost_since": "2026-11-24T19:58:00+00:00"}
    store.write(replace(chain_at(NOON + timedelta(minutes=1)), notes=notes))
    alert = status.notice(version(view))
    assert alert is not None
    assert "lacked quotes since 2026-11-24 19:58:00 UTC" in alert.children


def test_roots_are_in_the_configured_order_and_the_choice_stays(view: MarketView) -> None:
    view.settings.store().write(chain_at(roots=["RUTW", "XSP", "SPXW"]))
    assert status.root_choice(view, newest(view), "XSP") == (["SPXW", "XSP", "RUTW"], "XSP")
    assert status.root_choice(view, newest(view), "NDX")[1] == "SPXW"


def test_american_and_unknown_roots_are_not_offered(view: MarketView) -> None:
    view.settings.store().write(chain_at(roots=["SPY", "ABC", "XSP"]))
    assert status.root_choice(view, newest(view), "SPY") == (["XSP"], "XSP")


def test_a_snapshot_without_rows_offers_the_configured_roots(view: MarketView) -> None:
    full = chain_at()
    empty = type(full)(full.quotes.clear(), full.snapshot_time, "test", full.timeliness)
    view.settings.store().write(empty)
    assert status.root_choice(view, newest(view), "SPX") == (
        list(view.settings.tickers),
        "SPX",
    )
    assert status.header(view, newest(view), Choices("SPX"))["badge"] == "no data"
    assert status.expiry_choice(newest(view), "SPX", None) == ([], None)
    view.warm_up()


def test_the_chosen_expiry_stays_and_a_new_one_is_about_three_months(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    options, chosen = status.expiry_choice(newest(view), "SPXW", "2026-09-18")
    assert chosen == "2026-09-18"
    assert options[0] == {"value": "2025-10-17", "label": "17 Oct 2025 (43 d)"}
    assert status.expiry_choice(newest(view), "SPXW", "2030-01-18")[1] == "2025-12-19"
