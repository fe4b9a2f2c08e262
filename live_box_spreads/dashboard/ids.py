"""The identifiers that layout, callbacks and browser tests share."""

from __future__ import annotations

from typing import Final

POLL: Final = "poll"
CLOCK: Final = "clock"
VERSION: Final = "version"
"""Store: what the page should show (``status.version``); set by the poll alone."""
SHOWN: Final = "shown"
"""Store: what the page does show: the snapshot, and by part what the part was drawn from."""
SERVER: Final = "server"
"""Says that the server of the page does not answer; empty while it does."""
SCHEME_SWITCH: Final = "scheme-switch"
SCHEME: Final = "scheme"
"""Store: the colour scheme in use, light or dark; None until the browser has sent it."""
PAINTED: Final = "painted"
"""Store: true once the first flat chart is on the screen; the surfaces come after it."""
PAINT_WATCH: Final = "paint-watch"
"""Store that nobody reads: the output of what watches for that first chart."""
SNAPSHOT_TIME: Final = "snapshot-time"

BADGE: Final = "feed-badge"
SNAPSHOT_LABEL: Final = "snapshot-label"
AGE: Final = "age"
SPOT: Final = "spot"
CONTRACTS: Final = "contracts"
BOXES: Final = "boxes"
REMOVED: Final = "removed"
NOTICE: Final = "notice"
TILES: Final = "tiles"

ROOT: Final = "root"
EXPIRY: Final = "expiry"
TIME_AXIS: Final = "time-axis"
HISTORY: Final = "history"
MIN_VOLUME: Final = "min-volume"
BAND: Final = "band"
BANDS: Final = "bands"
"""Store: the configured moneyness bands, by name, in per cent."""
CENTRE: Final = "centre"
HALF_WIDTH: Final = "half-width"
COMPOUNDING: Final = "compounding"
PRICE: Final = "price"

MID_SURFACE: Final = "mid-surface"
QUOTED_SURFACE: Final = "quoted-surface"
VOLUME_SURFACE: Final = "volume-surface"
TERM_STRUCTURE: Final = "term-structure"
SKEW: Final = "skew"
RANKING: Final = "ranking"
SIDE: Final = "side"
GRID: Final = "grid"

NOTED: Final = (TERM_STRUCTURE,)
"""Panels with a second line under their title."""
FIGURES: Final = (MID_SURFACE, QUOTED_SURFACE, TERM_STRUCTURE, SKEW, VOLUME_SURFACE)


def message(panel: str) -> str:
    """Return the id of the plain message that a panel shows instead of its content."""
    return f"{panel}-message"


def caption(panel: str) -> str:
    """Return the id of the line under a panel's title."""
    return f"{panel}-caption"


def note(panel: str) -> str:
    """Return the id of the second line under a panel's title."""
    return f"{panel}-note"
