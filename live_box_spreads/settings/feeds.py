"""The feed that the configuration names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from live_box_spreads.model.chain import Timeliness
from live_box_spreads.settings.keyring import with_keyring
from live_box_spreads.settings.schema import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from live_box_spreads.feeds.base import Feed
    from live_box_spreads.settings.schema import Settings


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
        CredentialsError: the feed needs credentials that neither ``env`` nor a keyring has.
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

    credentials = replace(
        Credentials.from_environment(with_keyring(env)), one_time_code=one_time_code
    )
    base_url = settings.tastytrade.base_url
    client = TastytradeClient(credentials, base_url=base_url)
    if is_loopback(urlsplit(base_url).hostname or ""):
        # The vendor is not on this machine: it is `boxes simulate`, and must not pass for live.
        return TastytradeFeed(client, name="simulated", timeliness=Timeliness.SIMULATED)
    return TastytradeFeed(client)
