"""The configuration: ``config.yaml``, ``BOX_…`` variables, ``.env``; validated once."""

from live_box_spreads.settings.env_files import environment
from live_box_spreads.settings.feeds import make_feed
from live_box_spreads.settings.loading import PACKAGED_CONFIG, load_settings
from live_box_spreads.settings.reference import make_reference
from live_box_spreads.settings.schema import MoneynessBand, Settings

__all__ = [
    "PACKAGED_CONFIG",
    "MoneynessBand",
    "Settings",
    "environment",
    "load_settings",
    "make_feed",
    "make_reference",
]
