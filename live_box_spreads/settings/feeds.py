"""The feed that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from live_box_spreads.feeds import registry
from live_box_spreads.feeds.base import FeedSetup
from live_box_spreads.settings.keyring import with_keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from live_box_spreads.feeds.base import Feed
    from live_box_spreads.settings.schema import Settings

SECTIONS = {
    "simulated": "simulator",
    "tastytrade": "tastytrade",
    "replay": "replay",
    "cboe": "cboe",
}
"""The section of the configuration that describes each built-in feed."""


def make_feed(
    settings: Settings,
    env: Mapping[str, str],
    one_time_code: Callable[[], str] | None = None,
) -> Feed:
    """Return the configured feed, not connected yet.

    Args:
        settings: the configuration.
        env: environment variables with the credentials, as ``environment()`` gives them.
        one_time_code: asks the person for the code that a password login from a new device
            needs; None where nobody is there.

    Raises:
        ConfigError: the feed cannot be loaded.
        CredentialsError: the feed needs credentials that neither ``env`` nor a keyring has.
    """
    known = with_keyring(env) if settings.feed == "tastytrade" else env
    return registry.make_feed(settings.feed, FeedSetup(_options(settings), known, one_time_code))


def _options(settings: Settings) -> Mapping[str, Any]:
    """Return the section of the feed: its own for a built-in one, else ``feed_options``."""
    if settings.feed not in SECTIONS:
        return settings.feed_options
    return dict(getattr(settings, SECTIONS[settings.feed]))
