"""The description of the example: all that a vendor has to say of itself."""

from __future__ import annotations

from live_box_spreads.feeds.options import FeedOptions, Interval
from live_box_spreads.feeds.vendor import Vendor


class ExampleOptions(FeedOptions):
    """How often to ask."""

    interval_secs: Interval = 5.0


EXAMPLE = Vendor(
    feed="example",
    section="example",
    options=ExampleOptions,
    make_feed="tests.vendors.example.feed:make_feed",
    checks="tests.vendors.example.checks:check_feed",
    credentials=(("EXAMPLE_KEY",),),
)
