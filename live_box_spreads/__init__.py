"""Live lending and borrowing rates implied by box spreads on European index options.

The names below are the public interface; ``docs/api.md`` shows them at work. Until 1.0 a minor
version may change them, and the changelog says how; a patch version changes none. Names of other
modules may change in any version. A name is imported when it is first asked for, so importing the
package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from live_box_spreads.books.boxes.filters import BoxFilters
    from live_box_spreads.books.boxes.search import Search
    from live_box_spreads.books.conventions import Conventions, CurveFit
    from live_box_spreads.books.desk import Desk
    from live_box_spreads.books.prints import printed_boxes
    from live_box_spreads.boxspread import BoxSpread
    from live_box_spreads.collector.collector import Collector
    from live_box_spreads.feeds.base import Contracts, Feed, FeedSetup, Universe, Update
    from live_box_spreads.feeds.importers import read_cboe, read_chain_csv
    from live_box_spreads.feeds.importers.prints import read_prints
    from live_box_spreads.model.chain import Chain, Timeliness
    from live_box_spreads.model.errors import (
        BoxSpreadsError,
        ConfigError,
        FeedError,
        ModelError,
    )
    from live_box_spreads.model.fees import opening_fees
    from live_box_spreads.model.legs import LendBorrow
    from live_box_spreads.model.products import product
    from live_box_spreads.model.quality import LegFlag, QualityRules
    from live_box_spreads.model.rates import Compounding, discount_from_rate, rate_from_discount
    from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve, ReferenceCurve
    from live_box_spreads.model.settlement import (
        TimeBasis,
        payment_date,
        premium_date,
        trade_date,
        years_to_payment,
    )
    from live_box_spreads.reference import read_reference
    from live_box_spreads.settings import Settings, load_settings, make_feed
    from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot

__version__ = "0.2.0"

__all__ = [
    "BoxFilters",
    "BoxSpread",
    "BoxSpreadsError",
    "Chain",
    "Collector",
    "Compounding",
    "ConfigError",
    "Contracts",
    "Conventions",
    "CurveFit",
    "Desk",
    "Feed",
    "FeedError",
    "FeedSetup",
    "LegFlag",
    "LendBorrow",
    "ModelError",
    "OvernightRate",
    "ParYieldCurve",
    "QualityRules",
    "ReferenceCurve",
    "Search",
    "Settings",
    "SnapshotStore",
    "TimeBasis",
    "Timeliness",
    "Universe",
    "Update",
    "__version__",
    "discount_from_rate",
    "load_settings",
    "make_feed",
    "opening_fees",
    "payment_date",
    "premium_date",
    "printed_boxes",
    "product",
    "rate_from_discount",
    "read_cboe",
    "read_chain_csv",
    "read_prints",
    "read_reference",
    "read_snapshot",
    "trade_date",
    "years_to_payment",
]

_HOMES = {
    "books.boxes.filters": ["BoxFilters"],
    "books.boxes.search": ["Search"],
    "books.conventions": ["Conventions", "CurveFit"],
    "books.desk": ["Desk"],
    "books.prints": ["printed_boxes"],
    "boxspread": ["BoxSpread"],
    "collector.collector": ["Collector"],
    "feeds.base": ["Contracts", "Feed", "FeedSetup", "Universe", "Update"],
    "feeds.importers": ["read_cboe", "read_chain_csv"],
    "feeds.importers.prints": ["read_prints"],
    "model.chain": ["Chain", "Timeliness"],
    "model.errors": [
        "BoxSpreadsError",
        "ConfigError",
        "FeedError",
        "ModelError",
    ],
    "model.fees": ["opening_fees"],
    "model.legs": ["LendBorrow"],
    "model.products": ["product"],
    "model.quality": ["LegFlag", "QualityRules"],
    "model.rates": ["Compounding", "discount_from_rate", "rate_from_discount"],
    "model.reference_curve": ["OvernightRate", "ParYieldCurve", "ReferenceCurve"],
    "model.settlement": [
        "TimeBasis",
        "payment_date",
        "premium_date",
        "trade_date",
        "years_to_payment",
    ],
    "reference": ["read_reference"],
    "settings": ["Settings", "load_settings", "make_feed"],
    "stores.snapshots": ["SnapshotStore", "read_snapshot"],
}
_MODULES = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name once it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_MODULES[name]), name)
    return found


def __dir__() -> list[str]:
    """List the public names beside what the module has."""
    return sorted({*globals(), *__all__})
