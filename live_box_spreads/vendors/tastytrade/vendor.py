"""The description of Tastytrade."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from live_box_spreads.feeds.options import BaseUrl, FeedOptions
from live_box_spreads.feeds.vendor import Vendor


class TastytradeOptions(FeedOptions):
    """Where the vendor's API is, and how much of it is used."""

    base_url: BaseUrl = "https://api.tastyworks.com"
    connections: Annotated[int, Field(ge=1, le=5)] = 4


TASTYTRADE = Vendor(
    feed="tastytrade",
    section="tastytrade",
    options=TastytradeOptions,
    make_feed="live_box_spreads.vendors.tastytrade.feed:make_feed",
    checks="live_box_spreads.vendors.tastytrade.checks:check_feed",
    credentials=(("TT_CLIENT_SECRET", "TT_REFRESH_TOKEN"), ("TT_USERNAME", "TT_PASSWORD")),
)
