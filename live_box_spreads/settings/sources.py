"""The feed and the reference rates that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_box_spreads.feeds.base import FeedSetup
from live_box_spreads.reference.sources import FileSource, ReferenceLookup
from live_box_spreads.settings.env_files import with_keyring
from live_box_spreads.vendors import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from live_box_spreads.feeds.base import Feed
    from live_box_spreads.reference.sources import ReferenceSource
    from live_box_spreads.settings.schema import ReferenceSettings, Settings


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
            needs; None if there is nobody to ask.

    Raises:
        ConfigError: the feed cannot be loaded.
        CredentialsError: the feed needs credentials that neither ``env`` nor a keyring has.
    """
    setup = feed_setup(settings, env, one_time_code)
    return catalogue.make_feed(settings.feed, setup, settings.vendors)


def feed_setup(
    settings: Settings,
    env: Mapping[str, str],
    one_time_code: Callable[[], str] | None = None,
) -> FeedSetup:
    """Return what the configured feed is made of: its options and, if it logs in, credentials.

    Args:
        settings: the configuration.
        env: environment variables; credentials that it lacks come from the system's keyring.
        one_time_code: see `make_feed`.

    Raises:
        CredentialsError: the keyring cannot be read.
    """
    vendor = settings.vendor()
    if vendor is not None and vendor.credentials:
        env = with_keyring(env, vendor.credentials)
    return FeedSetup(settings.options(), env, one_time_code)


def make_reference(settings: Settings) -> ReferenceLookup | None:
    """Return where the configured reference rates are looked up; None if there is no source.

    Nothing is read or fetched yet.
    """
    source = _source(settings.reference)
    if source is None:
        return None
    return ReferenceLookup(source, max_age_days=settings.reference.max_age_days)


def _source(configured: ReferenceSettings) -> ReferenceSource | None:
    if configured.source == "none":
        return None
    if configured.source == "file":
        return FileSource(configured.file) if configured.file else None
    # The web client takes a while to load; only those who fetch pay for it.
    from live_box_spreads.reference import fred, sofr, treasury  # noqa: PLC0415
    from live_box_spreads.reference.download import Downloads  # noqa: PLC0415

    downloads = Downloads(configured.cache_folder)
    address = configured.address
    match configured.source:
        case "treasury":
            return treasury.TreasurySource(downloads, address or treasury.BASE_URL)
        case "fred":
            return fred.FredSource(downloads, address or fred.BASE_URL)
        case "sofr":
            return sofr.SofrSource(downloads, address or sofr.BASE_URL)
