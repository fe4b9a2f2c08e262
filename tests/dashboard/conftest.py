from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(env={"BOX_SNAPSHOT_STORAGE__FOLDER": str(tmp_path / "snapshots")})


@pytest.fixture
def view(settings: Settings) -> MarketView:
    return MarketView(settings)
