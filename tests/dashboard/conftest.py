from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.settings import Settings, load_settings
from tests.dashboard.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(tmp_path / "snapshots")})


@pytest.fixture
def view(settings: Settings) -> MarketView:
    return MarketView(settings)
