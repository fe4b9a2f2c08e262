"""The description of Cboe's public delayed quotes."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from live_box_spreads.feeds.options import MAX_INTERVAL_SECS, BaseUrl, FeedOptions
from live_box_spreads.feeds.vendor import Vendor

MIN_INTERVAL_SECS: Final = 30.0
"""No page is asked for more often than this."""


class CboeOptions(FeedOptions):
    """Where the public delayed quotes are, and how often to ask for them."""

    base_url: BaseUrl = "https://cdn.cboe.com/api/global/delayed_quotes/options"
    interval_secs: Annotated[
        float, Field(ge=MIN_INTERVAL_SECS, le=MAX_INTERVAL_SECS, allow_inf_nan=False)
    ] = 60.0


CBOE = Vendor(
    feed="cboe",
    section="cboe",
    options=CboeOptions,
    make_feed="live_box_spreads.vendors.cboe.feed:make_feed",
)
