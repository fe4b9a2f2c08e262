"""The configuration: ``config.yaml``, ``BOX_…`` variables, ``.env``; validated once."""

from live_box_spreads.settings.env_files import environment
from live_box_spreads.settings.loading import PACKAGED_CONFIG, load_settings
from live_box_spreads.settings.schema import MoneynessBand, Settings
from live_box_spreads.settings.sources import feed_setup, make_feed, make_reference

__all__ = [
    "PACKAGED_CONFIG",
    "MoneynessBand",
    "Settings",
    "environment",
    "feed_setup",
    "load_settings",
    "make_feed",
    "make_reference",
]
