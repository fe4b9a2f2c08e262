"""The description of the feed of the local exchange."""

from __future__ import annotations

from live_box_spreads.feeds.options import Count, FeedOptions
from live_box_spreads.feeds.vendor import Vendor


class SimulatedOptions(FeedOptions):
    """The market that the local exchange makes up."""

    seed: Count = 1


SIMULATED = Vendor(
    feed="simulated",
    section="simulator",
    options=SimulatedOptions,
    make_feed="live_box_spreads.vendors.simulated.feed:make_feed",
    checks="live_box_spreads.vendors.simulated.checks:check_feed",
)
