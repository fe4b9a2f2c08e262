"""Which feeds there are: those of the vendors of this package, and those of other packages.

Another package brings a feed by an entry point of the group ``live_box_spreads.feeds``; it names a
`FeedFactory`. The name of a vendor's feed cannot be taken.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from inspect import getattr_static
from typing import TYPE_CHECKING, Final, cast

from live_box_spreads.feeds.replay import REPLAY
from live_box_spreads.model.errors import ConfigError, did_you_mean
from live_box_spreads.vendors.cboe.vendor import CBOE
from live_box_spreads.vendors.simulated.vendor import SIMULATED
from live_box_spreads.vendors.tastytrade.vendor import TASTYTRADE

if TYPE_CHECKING:
    from live_box_spreads.feeds.base import Feed, FeedFactory, FeedSetup
    from live_box_spreads.feeds.vendor import FeedChecks, Vendor

GROUP: Final = "live_box_spreads.feeds"

VENDORS: Final[tuple[Vendor, ...]] = (
    SIMULATED,
    TASTYTRADE,
    REPLAY,
    CBOE,
)
"""A new vendor has a folder beside this file and a line here."""

_METHODS: Final = ("timeliness", "market_time", "contracts", "snapshot", "updates", "__aenter__")


def feed_names(vendors: tuple[Vendor, ...] = VENDORS) -> list[str]:
    """Return the names of all feeds that are found: the vendors', then the others by name."""
    built_in = [vendor.feed for vendor in vendors]
    brought = {point.name for point in entry_points(group=GROUP)}
    return [*built_in, *sorted(brought - set(built_in))]


def check_feed_name(name: str, vendors: tuple[Vendor, ...] = VENDORS) -> str:
    """Return the name if there is such a feed.

    Raises:
        ConfigError: there is none, or two packages bring it.
    """
    _find(name, vendors)
    return name


def make_feed(name: str, setup: FeedSetup, vendors: tuple[Vendor, ...] = VENDORS) -> Feed:
    """Return a feed by name, not connected yet. Only the code of this one is imported.

    Raises:
        ConfigError: there is no such feed, it cannot be imported, or it refuses its options.
        CredentialsError: credentials that it needs are missing.
    """
    point = _find(name, vendors)
    try:
        factory = cast("FeedFactory", point.load())
    except (ImportError, AttributeError) as error:
        ours = "pip install 'live-box-spreads[all]'"
        built_in = any(vendor.feed == name for vendor in vendors)
        cure = ours if built_in else "reinstall the package that brings it"
        raise ConfigError(
            f"feed {name!r} ({point.value}) cannot be loaded: {error}; {cure}"
        ) from error
    if not callable(factory):
        raise ConfigError(f"feed {name!r} ({point.value}) is no function that makes a feed")
    feed = factory(setup)
    # Without running properties: their values may be known later only.
    missing = [name for name in _METHODS if getattr_static(feed, name, None) is None]
    if missing:
        raise ConfigError(f"feed {name!r} ({point.value}) lacks {', '.join(missing)}")
    return feed


def checks_of(vendor: Vendor) -> FeedChecks | None:
    """Return the vendor's own checks for ``boxes doctor``; None if it has none."""
    if not vendor.checks:
        return None
    return cast("FeedChecks", EntryPoint(vendor.feed, vendor.checks, GROUP).load())


def _find(name: str, vendors: tuple[Vendor, ...]) -> EntryPoint:
    for vendor in vendors:  # before the search, which reads every installed package
        if vendor.feed == name:
            return EntryPoint(name, vendor.make_feed, GROUP)
    found = {point.value: point for point in entry_points(group=GROUP, name=name)}
    if len(found) > 1:
        raise ConfigError(
            f"feed {name!r} is brought by several packages: {', '.join(sorted(found))}; "
            "uninstall all but one"
        )
    if not found:
        names = feed_names(vendors)
        raise ConfigError(
            f"there is no feed {name!r}; found: {', '.join(names)}.{did_you_mean(name, names)}"
        )
    return next(iter(found.values()))
