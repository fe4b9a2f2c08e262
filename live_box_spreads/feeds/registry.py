"""Which feeds there are: the built-in ones, and those that installed packages bring.

A package brings a feed by an entry point of the group ``live_box_spreads.feeds``; it names a
`FeedFactory`. The name of a built-in feed cannot be taken.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from inspect import getattr_static
from typing import TYPE_CHECKING, Final, cast

from live_box_spreads.model.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from live_box_spreads.feeds.base import Feed, FeedFactory, FeedSetup

GROUP: Final = "live_box_spreads.feeds"

BUILT_IN: Final = {
    # Entry points too, but found without an installed package: a checkout runs as it is.
    name: EntryPoint(name, f"live_box_spreads.{module}:make_feed", GROUP)
    for name, module in {
        "simulated": "vendors.simulated.feed",
        "tastytrade": "vendors.tastytrade.feed",
        "replay": "feeds.replay",
        "cboe": "vendors.cboe.feed",
    }.items()
}

_METHODS: Final = ("timeliness", "market_time", "contracts", "snapshot", "updates", "__aenter__")


def feed_names() -> list[str]:
    """Return the names of all feeds that are found: the built-in ones, then the others by name."""
    brought = {point.name for point in entry_points(group=GROUP)}
    return [*BUILT_IN, *sorted(brought - set(BUILT_IN))]


def check_feed_name(name: str) -> str:
    """Return the name if there is such a feed.

    Raises:
        ConfigError: there is none, or two packages bring it.
    """
    _find(name)
    return name


def make_feed(name: str, setup: FeedSetup) -> Feed:
    """Return a feed by name, not connected yet. Only the code of this one is imported.

    Raises:
        ConfigError: there is no such feed, it cannot be imported, or it refuses its options.
        CredentialsError: credentials that it needs are missing.
    """
    point = _find(name)
    try:
        factory = cast("FeedFactory", point.load())
    except (ImportError, AttributeError) as error:
        ours = "pip install 'live-box-spreads[all]'"
        cure = ours if name in BUILT_IN else "reinstall the package that brings it"
        raise ConfigError(
            f"feed {name!r} ({point.value}) cannot be loaded: {error}; {cure}"
        ) from error
    if not callable(factory):
        raise ConfigError(f"feed {name!r} ({point.value}) is no function that makes a feed")
    feed = factory(setup)
    # Without running properties: what they say may be known later only.
    missing = [name for name in _METHODS if getattr_static(feed, name, None) is None]
    if missing:
        raise ConfigError(f"feed {name!r} ({point.value}) lacks {', '.join(missing)}")
    return feed


def _find(name: str) -> EntryPoint:
    if name in BUILT_IN:  # without the search, which reads every installed package
        return BUILT_IN[name]
    found = {point.value: point for point in entry_points(group=GROUP, name=name)}
    if len(found) > 1:
        raise ConfigError(
            f"feed {name!r} is brought by several packages: {', '.join(sorted(found))}; "
            "uninstall all but one"
        )
    if not found:
        names = feed_names()
        raise ConfigError(
            f"there is no feed {name!r}; found: {', '.join(names)}.{did_you_mean(name, names)}"
        )
    return next(iter(found.values()))
