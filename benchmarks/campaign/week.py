"""A trading week in accelerated time: five sessions, the nights skipped, with random troubles."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from benchmarks.campaign.rig import collecting, outcome
from benchmarks.campaign.soak import resident_mib
from benchmarks.campaign.troubles import MAY_BE_FINAL, QUICK, ROOTS, WAITS_A_MINUTE
from live_box_spreads.model.sessions import NEW_YORK, close_time
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.faults import Faults
from live_box_spreads.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.campaign.rig import Outcome, Rig
DAYS = tuple(date(2026, 11, day) for day in (16, 17, 18, 19, 20))
"""An ordinary week, Monday to Friday."""

_OPENING = time(9, 30)
_LONGEST_REST_SECS = 4.0
_RECOVERY_SECS = 20.0


@dataclass
class Week:
    """What was seen.

    Attributes:
        speed: seconds of the exchange in one of the computer.
        days: by day, the outcome of all its troubles; recovery from the last, in real seconds.
        memory_mib: resident set of this process, exchange and collector, at the end of each day.
        holes: gaps between snapshots that no report explains.
        final: what ended the collector, empty if nothing did.
    """

    speed: float
    days: dict[str, Outcome] = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)
    troubles: int = 0
    holes: list[str] = field(default_factory=list)
    final: str = ""


async def live_through_a_week(
    folder: Path, *, speed: float, seed: int, tell: Callable[[float], None]
) -> Week:
    """Run it.

    Args:
        folder: for snapshots.
        speed: seconds of the exchange in one of the computer; a week is 117,000 of the first.
        seed: of the market and the troubles.
        tell: told the share of the week that is over, as each day begins.
    """
    week, rng = Week(speed), random.Random(seed)  # noqa: S311 - not a secret
    first = _at(DAYS[0], _OPENING)
    options = SimulatorOptions(
        seed=seed,
        roots=ROOTS,
        now=first,
        speed=speed,
        tick_secs=0.05,
        history_secs=12.0 * speed,  # more than a quote may be old
        # A minute of this exchange is half a second of ours: it must not count as idle.
        faults=Faults(idle_close_secs=60.0 * speed),
    )
    with SimulatedExchange(options) as exchange:
        # The collector's waits and ages count seconds of the exchange; sockets know only real ones.
        setting = replace(
            QUICK,
            interval_secs=60.0,
            stale_after_secs=5.0 * speed,
            latency_secs=QUICK.latency_secs * speed,
            recovery_secs=_RECOVERY_SECS * speed,
        )

        async def sleep(secs: float) -> None:
            await asyncio.sleep(secs / speed)

        async with collecting(
            exchange,
            folder,
            setting,
            monotonic_secs=lambda: exchange.now().timestamp(),
            sleep=sleep,
        ) as rig:
            for number, day in enumerate(DAYS):
                exchange.skip_to(_at(day, _OPENING))
                rig.skips.append(exchange.now())
                tell(number / len(DAYS))
                await _trade_a_day(rig, day, rng, week)
        week.holes = rig.unreported_holes()
        week.final = "" if rig.ended is None else repr(rig.ended)
    return week


async def _trade_a_day(rig: Rig, day: date, rng: random.Random, week: Week) -> None:
    """Let troubles come and go until the close, then see that the book is true again."""
    closing = close_time(day)
    names = [name for name in SCENARIOS if name not in WAITS_A_MINUTE | MAY_BE_FINAL]
    first = len(rig.rounds)
    # Whole seconds of health and trouble are real ones, as the sockets' are.
    while rig.exchange.now() < closing - timedelta(seconds=30 * week.speed):
        await asyncio.sleep(rng.uniform(0.2, _LONGEST_REST_SECS))
        scenario = SCENARIOS[rng.choice(names)]
        week.troubles += 1
        with scenario.during(rig.exchange.faults):
            await asyncio.sleep(scenario.lasts_secs)
    recovered = await rig.true_from(rig.exchange.now(), rig.setting.recovery_secs)
    real_secs = None if recovered is None else recovered / week.speed
    week.days[str(day)] = outcome(str(day), real_secs, rig.rounds[first:])
    week.memory_mib[str(day)] = resident_mib(os.getpid())


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK)
