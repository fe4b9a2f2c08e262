"""The description of one vendor: everything that the rest of the package needs to know of it.

A description imports nothing heavy: the code of a feed and of its checks is loaded when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from live_box_spreads.feeds.base import FeedSetup, Universe
    from live_box_spreads.feeds.options import FeedOptions


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of ``boxes doctor``.

    Attributes:
        name: what was looked at.
        outcome: how it ended.
        detail: what was found; for a failure, what to do about it. Never a secret.
    """

    name: str
    outcome: Outcome
    detail: str


class FeedChecks(Protocol):
    """What ``Vendor.checks`` names."""

    def __call__(self, setup: FeedSetup, universe: Universe) -> AsyncIterator[Check]:
        """Check all that the feed needs, in the order in which the feed would miss it.

        Args:
            setup: what the feed would be made of.
            universe: what the configuration wants to be quoted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Vendor:
    """One built-in feed.

    Attributes:
        feed: name of the feed, as ``feed:`` of the configuration has it.
        section: key of the vendor's section of the configuration.
        options: model of that section; every key has a default.
        make_feed: ``module:function`` of a `FeedFactory`.
        checks: ``module:function`` of the vendor's `FeedChecks` for ``boxes doctor``; empty to
            open the feed and list the configured contracts.
        credentials: sets of environment variables, each of which is enough to log in; what is
            missing is looked up in the system's keyring. Empty if no login is needed.
    """

    feed: str
    section: str
    options: type[FeedOptions]
    make_feed: str
    checks: str = ""
    credentials: tuple[tuple[str, ...], ...] = ()
