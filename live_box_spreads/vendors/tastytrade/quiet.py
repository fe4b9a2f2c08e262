"""Contracts without an update for a long time, and whether there should have been one.

A stream sends nothing for a quote that has not changed. So silence of one contract, while others
of its root are updated, may or may not be a fault. A REST quote decides which it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Quotes


class QuietContracts:
    """When the stream last quoted each contract, and how. Times are seconds of a steady clock."""

    def __init__(self, contracts: int) -> None:
        """Start with nothing quoted.

        Args:
            contracts: number of contracts.
        """
        self._heard_secs = np.full(contracts, np.nan)
        self._checked_secs = np.full(contracts, -np.inf)
        self._bid, self._ask = np.full(contracts, np.nan), np.full(contracts, np.nan)

    def note(self, quotes: Quotes, now_secs: float) -> None:
        """Note the contracts of an update of the stream."""
        self._heard_secs[quotes.rows] = now_secs
        self._bid[quotes.rows], self._ask[quotes.rows] = quotes.bid, quotes.ask

    def forget(self, rows: NDArray[np.int32]) -> None:
        """Expect nothing of these contracts until the stream quotes them again."""
        self._heard_secs[rows] = np.nan

    def quietest(self, now_secs: float, quiet_secs: float, most: int) -> NDArray[np.int32]:
        """Return contracts neither heard of nor checked for so long, the longest quiet first.

        Args:
            now_secs: the clock now.
            quiet_secs: how long is long.
            most: return no more than so many.
        """
        known_secs = np.fmax(self._heard_secs, self._checked_secs)
        silent_secs = np.where(np.isnan(self._heard_secs), 0.0, now_secs - known_secs)
        quiet = np.flatnonzero(silent_secs >= quiet_secs)
        longest_first = quiet[np.argsort(-silent_secs[quiet], kind="stable")]
        return longest_first[:most].astype(np.int32)

    def contradicted(
        self, polled: Quotes, now: np.datetime64, now_secs: float
    ) -> NDArray[np.bool_]:
        """Return where REST has a newer and different quote than the stream's last one.

        Args:
            polled: quotes by REST, one a contract, each with its own time.
            now: the wall clock, when ``polled`` came (UTC).
            now_secs: the steady clock then.

        Returns:
            (quotes,) whether the stream may have missed a change; all the others are confirmed.
        """
        rows = polled.rows
        self._checked_secs[rows] = now_secs
        quiet_secs = now_secs - self._heard_secs[rows]
        known = ~np.isnan(quiet_secs)  # the stream may have been lost since it was asked about
        quiet = (np.where(known, quiet_secs, 0.0) * 1e3).astype("timedelta64[ms]")
        other = _differ(polled.bid, self._bid[rows]) | _differ(polled.ask, self._ask[rows])
        newer = known if polled.times is None else known & (polled.times > now - quiet)
        contradicted: NDArray[np.bool_] = other & newer
        return contradicted

    def still_quiet(self, rows: NDArray[np.int32], since_secs: float) -> NDArray[np.bool_]:
        """Return the contracts without an update of the stream since an instant."""
        quiet: NDArray[np.bool_] = self._heard_secs[rows] <= since_secs
        return quiet


def _differ(these: NDArray[np.float64], those: NDArray[np.float64]) -> NDArray[np.bool_]:
    both_nan = np.isnan(these) & np.isnan(those)
    return np.not_equal(these, those, where=~both_nan, out=np.zeros(len(these), np.bool_))
