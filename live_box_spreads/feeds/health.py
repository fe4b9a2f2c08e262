"""What a feed can tell of its own health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """Counts since the feed was made; none ever goes down.

    Attributes:
        losses: what was lost on the way, by kind: ``connections_lost``, ``malformed_frames``, ….
        rest_calls: REST requests by outcome: an HTTP status, ``timeout`` or ``unreachable``.
    """

    losses: Mapping[str, int]
    rest_calls: Mapping[str, int]


@runtime_checkable
class TellsHealth(Protocol):
    """A feed that counts; any feed may, none has to."""

    def health(self) -> FeedHealth:
        """Return the counts as of now; from any thread."""
        ...
