"""The reference rates that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_box_spreads.reference.sources import FileSource, ReferenceDesk

if TYPE_CHECKING:
    from live_box_spreads.reference.sources import ReferenceSource
    from live_box_spreads.settings.schema import ReferenceSettings, Settings


def make_reference(settings: Settings) -> ReferenceDesk | None:
    """Return where the configured reference rates are looked up; None if there is no source.

    Nothing is read or fetched yet.
    """
    source = _source(settings.reference)
    if source is None:
        return None
    return ReferenceDesk(source, max_age_days=settings.reference.max_age_days)


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
