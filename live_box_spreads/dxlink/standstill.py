"""Detects that this process stood still: asleep with its laptop, stopped, or its clock set.

What waits in a socket's buffers after that is older than it looks, and a connection that seems
open may be long dead. Two clocks tell: the wall clock goes on while a machine sleeps, the steady
one never jumps; a wait that took much longer than asked for shows the rest.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Attributes:
        wall_secs: seconds of the wall clock, which people and NTP set.
        steady_secs: seconds of a clock that never goes back and may stop during sleep.
    """

    wall_secs: float
    steady_secs: float


def standstill(before: Instant, after: Instant, asked_secs: float, tolerance_secs: float) -> str:
    """Return why what was received between two instants cannot be trusted; empty if it can.

    Args:
        before: when a wait began.
        after: when it ended.
        asked_secs: the longest that it should have taken, in seconds.
        tolerance_secs: what a busy machine and a disciplined clock may add, in seconds.
    """
    steady_secs = after.steady_secs - before.steady_secs
    jump_secs = (after.wall_secs - before.wall_secs) - steady_secs
    if jump_secs > tolerance_secs:
        return f"this machine slept, or its clock was set forward: {jump_secs:.0f} s are missing"
    if jump_secs < -tolerance_secs:
        return f"the clock of this machine was set back by {-jump_secs:.0f} s"
    if steady_secs - asked_secs > tolerance_secs:
        return f"this process stood still for {steady_secs:.0f} s"
    return ""
