"""When the next snapshot is due: on a fixed grid of instants that neither drifts nor piles up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """Instants ``start``, ``start + interval``, ``start + 2 * interval``, ….

    Attributes:
        start: the first instant, with a time zone.
        interval_secs: seconds from one instant to the next; positive.
    """

    start: datetime
    interval_secs: float

    def next_after(self, now: datetime) -> datetime:
        """Return the first instant of the grid that is later than ``now``.

        What was missed meanwhile stays missed: one long round is followed by one round, not by
        all those that it delayed.
        """
        passed = math.floor((now - self.start).total_seconds() / self.interval_secs)
        due = self._instant(passed + 1)
        return due if due > now else self._instant(passed + 2)  # a float quotient rounds

    def overrun_secs(self, due: datetime, finished: datetime) -> float:
        """Return by how many seconds a round ran past the instant after its own; 0.0 if not."""
        over = (finished - due).total_seconds() - self.interval_secs
        return max(0.0, over)

    def _instant(self, number: int) -> datetime:
        return self.start + timedelta(seconds=number * self.interval_secs)
