"""Tastytrade's REST API under the name that it has had from the start.

The client is in ``vendors/tastytrade/client.py``; code outside this package imports it from here.
"""

from __future__ import annotations

from live_box_spreads.vendors.tastytrade.client import (
    MarketDataAnswer,
    OptionChain,
    QuoteToken,
    TastytradeClient,
)
from live_box_spreads.vendors.tastytrade.login import Credentials
from live_box_spreads.vendors.tastytrade.messages import (
    Expiration,
    MarketData,
    MarketSession,
    RootListing,
    Strike,
)

__all__ = [
    "Credentials",
    "Expiration",
    "MarketData",
    "MarketDataAnswer",
    "MarketSession",
    "OptionChain",
    "QuoteToken",
    "RootListing",
    "Strike",
    "TastytradeClient",
]
