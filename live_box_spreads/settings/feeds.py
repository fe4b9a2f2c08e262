"""The feed that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live_box_spreads.feeds.base import Feed
    from live_box_spreads.settings.schema import Settings


def make_feed(settings: Settings, env: Mapping[str, str]) -> Feed:
    """Return the configured feed, not connected yet.

    Args:
        settings: the configuration.
        env: environment variables with the credentials, as ``environment()`` gives them.

    Raises:
        CredentialsError: the feed needs credentials that ``env`` does not have.
    """
    # Each import brings a web client or a whole exchange; only the one in use is paid for.
    if settings.feed == "simulated":
        from live_box_spreads.feeds.simulated import SimulatedFeed  # noqa: PLC0415

        return SimulatedFeed(seed=settings.simulator.seed)
    from live_box_spreads.feeds.tastytrade import TastytradeFeed  # noqa: PLC0415
    from live_box_spreads.tastytrade_client import (  # noqa: PLC0415
        Credentials,
        TastytradeClient,
    )

    credentials = Credentials.from_environment(env)
    return TastytradeFeed(TastytradeClient(credentials, base_url=settings.tastytrade.base_url))
