"""The filtered curve: what all snapshots so far say of a root, the newest most.

Money moves slowly, the errors of quotes do not: kink and tilt are drawn afresh from one hour to the
next. So the forward rates on calendar dates are followed by a Kalman filter (Anderson and Moore,
Optimal Filtering, 1979), and each snapshot tells of them through its lines, under the scales that
its own joint fit found:

- **State**: forward rates at ``KNOTS``, straight between them in ``x = log(1 + T / 0.25)``, counted
  from the premium date. When that moves on, the forwards stay on their dates.
- **Between snapshots** all forwards move together, by ``LEVEL_BPS`` a root of a session, and each
  by ``SHAPE_BPS``, alike over near times. Closed days count for nothing, and hours for their part
  of a day.
- **News**: snapshots within ``NEWS_SECS`` share their errors. Of what a snapshot tells about the
  level of the rates, only what goes beyond those of the last half hour counts: a collector that
  looks every second learns no more than one that looks every half hour.
- **A jump**: where a snapshot contradicts the state so much that a jump of some 15 bp explains it
  a thousand times better, the state gives way at once.

Pure and deterministic: the same states and chains give the same states, whether in one process or
after a restart (``state`` can be kept as it is).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import log
from typing import TYPE_CHECKING, Final

import numpy as np

from live_box_spreads.books.curves.joint_curve import joint_curves
from live_box_spreads.books.curves.joint_fit import JointFit, floor
from live_box_spreads.books.curves.joint_model import (
    RATE,
    RATE_DEVIATION,
    SLOPE_DEVIATION,
    JointModel,
    Scales,
    place,
    years_at,
)
from live_box_spreads.books.curves.one_thread import one_thread
from live_box_spreads.books.curves.smooth_curve import SmoothCurve
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.sessions import NEW_YORK, is_session
from live_box_spreads.model.settlement import DAYS_PER_YEAR, premium_date

if TYPE_CHECKING:
    from datetime import date, datetime

    from numpy.typing import NDArray

    from live_box_spreads.books.curves.joint_curve import RootLines

    Floats = NDArray[np.float64]

_PLACES: Final[Floats] = np.arange(42, dtype=np.float64) * 0.08
KNOTS: Final[Floats] = years_at(_PLACES)
"""(42,) years from the premium date: 0 to 6.4, a week apart at first, four months at the end."""
LEVEL_BPS, SHAPE_BPS = 4.0, 3.0
"""Standard deviations of the moves of the forward rates in one session."""
_SHAPE_REACH = 0.5  # in x
NEWS_SECS: Final = 1800.0
JUMP_BPS, JUMP_ODDS = 15.0, 1e-3
"""Standard deviation of a jump, and how likely one is at a snapshot before it is seen."""
LONGEST_GAP: Final = timedelta(days=45)
"""After a longer one the filter begins anew."""
_BP = 1e-4
_DAY_SECS = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class FilterState:
    """What is known of a root after some snapshots. Small, of fixed size, and all of it.

    Attributes:
        root: option root.
        quoted_at: instant of the last snapshot.
        premium_date: of that instant.
        mean: (42,) continuous forward rates at ``KNOTS``.
        covariance: (42, 42) of them.
        scales: peaks of the last joint fit, where the next one starts.
        payment_dates: of the expiries of the last snapshot.
        information: of the level of the rates, as the last half hour has told it already: one over
            a variance.
        snapshots: how many the state rests on.
        jumped_at: instant of the last jump; None if there was none.
    """

    root: str
    quoted_at: datetime
    premium_date: date
    mean: Floats
    covariance: Floats
    scales: tuple[Scales, ...]
    payment_dates: tuple[date, ...]
    information: float
    snapshots: int = 1
    jumped_at: datetime | None = None

    def smooth(self) -> SmoothCurve:
        """Return the filtered curve at any date."""
        return SmoothCurve(
            root=self.root,
            premium_date=self.premium_date,
            payment_dates=self.payment_dates,
            excess_bps=float("nan"),
            inflation=np.ones(len(self.payment_dates)),
            posterior=_Filtered(self.mean, self.covariance),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Filtered:
    """Zero rates of a state; see ``smooth_curve.Posterior``."""

    mean: Floats
    covariance: Floats

    def at(self, years: Floats) -> tuple[Floats, Floats]:
        lent = np.maximum(years, 1e-4)
        weights = integrals(lent) / lent[:, None]
        rates: Floats = weights @ self.mean
        return rates, weights @ self.covariance @ weights.T + floor(lent)

    def left_out(self) -> tuple[Floats, Floats]:
        raise ModelError("a filtered curve leaves no expiry out; ask the curve of the snapshot")


def filtered(state: FilterState | None, lines: RootLines) -> FilterState | None:
    """Take the next snapshot of a root.

    Args:
        state: what was known before; None at the start.
        lines: of the snapshot; see ``joint_curve.root_lines``.

    Returns:
        The new state. The old one where the snapshot gives no rate; None if there is none.

    Raises:
        ModelError: the state is of another root, or not older than the snapshot.
    """
    now = lines.strikes.snapshot_time
    if state is not None:
        _check(state, lines.root, now)
        if now - state.quoted_at > LONGEST_GAP:
            state = None
    curve = joint_curves([lines], None if state is None else state.scales)[lines.root]
    fit, smooth = curve.fit, curve.smooth()
    if fit is None or smooth is None:
        return state
    paid = smooth.premium_date
    last, heard = state, 0.0
    with one_thread():
        before = _start(fit)
        if last is not None:
            before = moved_on(last, now, paid)
            secs = (now - last.quoted_at).total_seconds()
            heard = last.information * max(0.0, 1.0 - secs / NEWS_SECS)
        seen = _observed(before[0], fit.peaks[0].model, fit.peaks[0].scales)
        jumped = last is not None and _has_jumped(before, seen)
        if jumped:
            before, heard = (before[0], before[1] + _JUMP), 0.0
        mean, covariance = _told(before, seen, heard)
    return FilterState(
        root=lines.root,
        quoted_at=now,
        premium_date=paid,
        mean=mean,
        covariance=covariance,
        scales=tuple(peak.scales for peak in fit.peaks),
        payment_dates=smooth.payment_dates,
        information=max(heard, seen.information),
        snapshots=1 if last is None else last.snapshots + 1,
        jumped_at=now if jumped else (None if last is None else last.jumped_at),
    )


def unseen(state: FilterState, now: datetime) -> FilterState | None:
    """Return a state at a later instant of which nothing is known, with the errors grown since.

    Loans then begin on that instant's premium date.

    Args:
        state: after the last snapshot.
        now: not before it.

    Returns:
        The state; None where the gap is too long.
    """
    if now <= state.quoted_at:
        return state
    if now - state.quoted_at > LONGEST_GAP:
        return None
    paid = premium_date(now)
    mean, covariance = moved_on(state, now, paid)
    return replace(state, quoted_at=now, premium_date=paid, mean=mean, covariance=covariance)


def _check(state: FilterState, root: str, now: datetime) -> None:
    if state.root != root:
        raise ModelError(f"the state is of {state.root}, the snapshot of {root}; keep one a root")
    if now <= state.quoted_at:
        raise ModelError(
            f"the snapshot of {now.isoformat()} is not after that of "
            f"{state.quoted_at.isoformat()}; give them in order"
        )


def _start(fit: JointFit) -> tuple[Floats, Floats]:
    """Return mean and covariance of the forward rates before anything is seen."""
    x = _PLACES
    low, apart = np.minimum(x[:, None], x[None, :]), np.abs(x[:, None] - x[None, :])
    bend = fit.peaks[0].scales.bend
    covariance: Floats = RATE_DEVIATION**2 + SLOPE_DEVIATION**2 * np.outer(x, x)
    covariance = covariance + bend**2 * (low**3 / 3.0 + low**2 * apart / 2.0)
    return np.full(x.size, RATE), covariance


def moved_on(state: FilterState, now: datetime, paid: date) -> tuple[Floats, Floats]:
    """Return mean (42,) and covariance (42, 42) of the forward rates before the next snapshot.

    Args:
        state: after the last one.
        now: instant of the next one.
        paid: its premium date, from which the knots count then.
    """
    days = (paid - state.premium_date).days
    carry = straight(KNOTS + days / DAYS_PER_YEAR)
    covariance = carry @ state.covariance @ carry.T
    return carry @ state.mean, covariance + sessions_between(state.quoted_at, now) * _moves(
        LEVEL_BPS, SHAPE_BPS
    )


def _moves(level_bps: float, shape_bps: float) -> Floats:
    """Return the covariance of moves of the forward rates."""
    apart = (_PLACES[:, None] - _PLACES[None, :]) / _SHAPE_REACH
    moves: Floats = (level_bps * _BP) ** 2 + (shape_bps * _BP) ** 2 * np.exp(-0.5 * apart**2)
    return moves


_JUMP: Final[Floats] = _moves(JUMP_BPS, JUMP_BPS / 3.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the lines of a snapshot say beyond the state.

    Attributes:
        off: (2n,) what they say less what was expected.
        errors: (2n, 2n) covariance of their errors.
        weights: (2n, 42) of the forward rates in them.
        years: (n,) to the payment of each expiry.
    """

    off: Floats
    errors: Floats
    weights: Floats
    years: Floats

    @property
    def information(self) -> float:
        """What they say about the level of all rates: one over its variance."""
        level = self.weights.sum(axis=1)
        return float(level @ np.linalg.solve(self.errors, level))


def _observed(mean: Floats, model: JointModel, scales: Scales) -> _Seen:
    years = model.lines.years
    count = years.size
    weights = np.concatenate([integrals(years), np.zeros((count, KNOTS.size))])
    off = np.concatenate([model.lines.log_growth, model.lines.kink]) - weights @ mean
    return _Seen(off, model.errors(scales), weights, years)


def _has_jumped(before: tuple[Floats, Floats], seen: _Seen) -> bool:
    """Return whether a jump explains a snapshot so much better that there must have been one.

    What no rate is known better than counts here: the floor of a joint curve's standard error.
    """
    errors = seen.errors.copy()
    count = seen.years.size
    errors[:count, :count] += floor(seen.years) * np.outer(seen.years, seen.years)
    still, moved = (
        _log_density(seen, covariance, errors) for covariance in (before[1], before[1] + _JUMP)
    )
    return moved - still + log(JUMP_ODDS) > 0.0


def _log_density(seen: _Seen, covariance: Floats, errors: Floats) -> float:
    total = seen.weights @ covariance @ seen.weights.T + errors
    _, log_determinant = np.linalg.slogdet(total)
    return -0.5 * float(seen.off @ np.linalg.solve(total, seen.off) + log_determinant)


def _told(before: tuple[Floats, Floats], seen: _Seen, heard: float) -> tuple[Floats, Floats]:
    """Return mean and covariance after a snapshot, of which a part has been heard already."""
    news = 1.0 - heard / seen.information
    if news <= 0.0:
        return before
    return _updated(before, seen.off, seen.errors / news, seen.weights)


def _updated(
    before: tuple[Floats, Floats], off: Floats, errors: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """Return mean and covariance after the news (Joseph's form, which stays symmetric)."""
    mean, covariance = before
    across = covariance @ weights.T
    gain = np.linalg.solve(weights @ across + errors, across.T).T
    kept = np.eye(mean.size) - gain @ weights
    updated: Floats = kept @ covariance @ kept.T + gain @ errors @ gain.T
    return mean + gain @ off, 0.5 * (updated + updated.T)


def sessions_between(earlier: datetime, later: datetime) -> float:
    """Return the time between two instants in sessions; days without one count for nothing."""
    total = 0.0
    day = earlier.astimezone(NEW_YORK).date()
    last = later.astimezone(NEW_YORK).date()
    begin = _part_of_day(earlier)
    while day <= last:
        end = _part_of_day(later) if day == last else 1.0
        if is_session(day):
            total += end - begin
        begin, day = 0.0, day + timedelta(days=1)
    return total


def _part_of_day(instant: datetime) -> float:
    local = instant.astimezone(NEW_YORK)
    return (local.hour * 3600 + local.minute * 60 + local.second) / _DAY_SECS


def straight(years: Floats) -> Floats:
    """Return the weights (k, 42) of the knots in the forward rates at some times; flat beyond."""
    at = np.clip(place(years) / _PLACES[1], 0.0, _PLACES.size - 1.0)
    left = np.minimum(at.astype(np.intp), _PLACES.size - 2)
    weights = np.zeros((years.size, _PLACES.size))
    row = np.arange(years.size)
    weights[row, left] = 1.0 - (at - left)
    weights[row, left + 1] = at - left
    return weights


def integrals(years: Floats) -> Floats:
    """Return the weights (k, 42) of the knots in the integrals of the forward rate up to a time.

    Between two knots the rate is straight in x; time is ``0.25·(exp(x) - 1)``.
    """
    x = place(years)[:, None]
    low, high = _PLACES[:-1], _PLACES[1:]
    end: Floats = np.clip(x, low, high)
    width = high - low
    grown, first = np.exp(end), np.exp(low)
    time = years_at(end) - years_at(low)
    rising = 0.25 * (grown * (end - low - 1.0) + first) / width  # of (x - low) / width
    weights = np.zeros((years.size, _PLACES.size))
    weights[:, :-1] += time - rising
    weights[:, 1:] += rising
    weights[:, -1] += np.maximum(years - KNOTS[-1], 0.0)
    return weights
