"""The fault campaign at length: troubles alone, in random order, for a week, for half an hour.

    python -m benchmarks.fault_campaign alone
    python -m benchmarks.fault_campaign sequences --count 20
    python -m benchmarks.fault_campaign week --speed 120
    python -m benchmarks.fault_campaign soak --minutes 30

Each prints what docs/resilience.md keeps of it, and with ``--json F`` writes all figures there.
It ends with status 1 if a stale price was shown as fresh, a hole was not reported, or the book was
not true again in time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.campaign.judge import ON_THE_WAY
from benchmarks.campaign.rig import collecting
from benchmarks.campaign.soak import Soak, soak
from benchmarks.campaign.troubles import QUICK, alone, in_random_order, quick_exchange
from benchmarks.campaign.week import live_through_a_week
from live_box_spreads.simulator.exchange import SimulatedExchange
from live_box_spreads.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from benchmarks.campaign.rig import Outcome

app = typer.Typer(help=__doc__, no_args_is_help=True)
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed, the same troubles.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")]

_FIRST_SECS = 30.0
_COLUMNS = (
    "trouble",
    "true again after, s",
    "snapshots of rounds",
    "rounds that reported it",
    "rows false as fresh",
    "rows with a time too young",
    "oldest price shown as fresh, s",
)
_SETTLED_SECS = 600.0


@app.command("alone")
def alone_command(
    *,
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios; all by default.")] = None,
    seed: SeedOption = 1,
    json_file: JsonOption = None,
) -> None:
    """Meet each trouble alone, and wait until the book is true again."""
    chosen = names or list(SCENARIOS)
    _sum_up(*asyncio.run(_alone(chosen, seed)), json_file)


@app.command()
def sequences(
    *,
    count: Annotated[int, typer.Option(min=1, help="Number of sequences.")] = 10,
    troubles: Annotated[int, typer.Option(min=1, help="Troubles in each.")] = 12,
    seed: SeedOption = 1,
    json_file: JsonOption = None,
) -> None:
    """Meet random sequences of overlapping troubles."""
    _sum_up(*asyncio.run(_sequences(count, troubles, seed)), json_file)


@app.command()
def week(
    *,
    speed: Annotated[float, typer.Option(min=1, help="Times as fast as time passes.")] = 120.0,
    seed: SeedOption = 1,
    json_file: JsonOption = None,
) -> None:
    """Live through a trading week in accelerated time."""
    with _progress() as progress, tempfile.TemporaryDirectory() as folder:
        bar = progress.add_task("week", total=1.0)
        seen = asyncio.run(
            live_through_a_week(
                Path(folder),
                speed=speed,
                seed=seed,
                tell=lambda share: progress.update(bar, completed=share),
            )
        )
    _print_outcomes(list(seen.days.values()))
    print(f"troubles {seen.troubles}; memory at the end of each day, MiB:", seen.memory_mib)
    print("unreported holes:", seen.holes or "none", "; ended by:", seen.final or "nothing")
    bad = bool(seen.holes or seen.final) or any(map(_is_bad, seen.days.values()))
    _finish(asdict(seen), json_file, bad=bad)


@app.command("soak")
def soak_command(
    *,
    minutes: Annotated[float, typer.Option(min=0.5)] = 30.0,
    interval: Annotated[float, typer.Option(min=1, help="Seconds between snapshots.")] = 10.0,
    longest_rest: Annotated[
        float, typer.Option(min=1, help="Most seconds of health between two troubles.")
    ] = 120.0,
    seed: SeedOption = 1,
    folder: Annotated[Path | None, typer.Option(help="Keeps snapshots and the log.")] = None,
    json_file: JsonOption = None,
) -> None:
    """Run ``boxes collect`` on a full listing, with random troubles, in real time."""
    with _progress() as progress, tempfile.TemporaryDirectory() as temporary:
        bar = progress.add_task("soak", total=1.0)

        def tell(seen: Soak, share: float) -> None:
            label = f"{len(seen.snapshots)} snapshots, {seen.memory[-1][1]:.0f} MiB"
            progress.update(bar, completed=share, description=label)

        seen = soak(
            folder or Path(temporary),
            minutes=minutes,
            seed=seed,
            interval_secs=interval,
            longest_rest_secs=longest_rest,
            tell=tell,
        )
    figures = soak_figures(seen, interval)
    for name, value in figures.items():
        print(f"| {name} | {value} |")
    bad = bool(figures["rows false as fresh"] or figures["holes not reported"])
    _finish({"figures": figures, "seen": asdict(seen)}, json_file, bad=bad)


def soak_figures(seen: Soak, interval_secs: float) -> dict[str, Any]:
    """Return what a soak comes to."""
    findings = [each.finding for each in seen.snapshots]
    settled = [
        mib for at, mib in seen.memory if (at - seen.memory[0][0]).total_seconds() > _SETTLED_SECS
    ]
    shares = [each.fresh / each.contracts for each in findings]
    return {
        "snapshots compared": len(findings),
        "contracts in the last": findings[-1].contracts if findings else 0,
        "rows compared": sum(each.contracts for each in findings),
        "troubles": len(seen.troubles),
        "snapshots that were true altogether": sum(e.is_true(ON_THE_WAY) for e in findings),
        "true again after, s (None: another trouble came first)": seen.recoveries_secs(),
        "rows false as fresh": sum(each.false_fresh for each in findings),
        "rows with a time too young": sum(each.false_times for each in findings),
        "fresh rows, share, median and least": (
            (round(median(shares), 4), round(min(shares), 4)) if shares else ()
        ),
        "oldest price shown as fresh, s": max((e.worst_lag_secs for e in findings), default=0.0),
        "rounds that reported a failure": sum("failed" in line for _, line in seen.lines),
        "holes not reported": seen.unreported_holes(interval_secs),
        "memory, MiB, first to last third of the settled time": (
            (
                round(median(settled[: len(settled) // 3]), 1),
                round(median(settled[-(len(settled) // 3) :]), 1),
            )
            if len(settled) > 3  # noqa: PLR2004 - thirds of something
            else ()
        ),
        "memory, MiB, largest": round(max((mib for _, mib in seen.memory), default=0.0), 1),
        "memory trend, MiB an hour": round(seen.trend_mib_an_hour(_SETTLED_SECS), 1),
        "exit status": seen.exit_status,
    }


def _sum_up(outcomes: list[Outcome], holes: list[str], json_file: Path | None) -> None:
    _print_outcomes(outcomes)
    print("unreported holes:", holes or "none")
    figures = {"outcomes": [asdict(each) for each in outcomes], "holes": holes}
    _finish(figures, json_file, bad=bool(holes) or any(map(_is_bad, outcomes)))


async def _alone(names: list[str], seed: int) -> tuple[list[Outcome], list[str]]:
    with _progress() as progress, SimulatedExchange(quick_exchange(seed)) as exchange:
        bar = progress.add_task("troubles", total=len(names))

        def tell(done: Outcome) -> None:
            progress.update(bar, advance=1, description=done.scenario)

        with tempfile.TemporaryDirectory() as folder:
            async with collecting(exchange, Path(folder), _patient()) as rig:
                await rig.true_from(exchange.now(), _FIRST_SECS)
                return await alone(rig, names, tell), rig.unreported_holes()


async def _sequences(count: int, troubles: int, seed: int) -> tuple[list[Outcome], list[str]]:
    outcomes, holes = [], []
    with _progress() as progress:
        bar = progress.add_task("sequences", total=count)
        for number in range(count):
            # An exchange each, as ten sequences of reconnections would run into its rate limit.
            with (
                SimulatedExchange(quick_exchange(seed + number)) as exchange,
                tempfile.TemporaryDirectory() as folder,
            ):
                async with collecting(exchange, Path(folder), QUICK) as rig:
                    await rig.true_from(exchange.now(), _FIRST_SECS)
                    rng = random.Random(seed + number)  # noqa: S311 - not a secret
                    outcomes.append(await in_random_order(rig, rng, troubles))
                    holes += rig.unreported_holes()
            progress.update(bar, advance=1)
    return outcomes, holes


def _patient() -> Any:
    """Return the quick setting with the patience that a minute of the server's needs."""
    from dataclasses import replace  # noqa: PLC0415

    return replace(QUICK, recovery_secs=80.0)


def _is_bad(each: Outcome) -> bool:
    return each.recovered_secs is None or each.false_fresh > 0 or each.false_times > 0


def _print_outcomes(outcomes: list[Outcome]) -> None:
    print("|", " | ".join(_COLUMNS), "|")
    print("|", "---|" * len(_COLUMNS), sep="")
    for each in outcomes:
        recovered = "never" if each.recovered_secs is None else f"{each.recovered_secs:.1f}"
        print(
            f"| {each.scenario} | {recovered} | {each.written} of {each.rounds} | {each.reported} "
            f"| {each.false_fresh} | {each.false_times} | {each.worst_lag_secs:.1f} |"
        )


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, transient=True)


def _finish(figures: Any, json_file: Path | None, *, bad: bool) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(figures, default=str, indent=1), encoding="utf-8")
    raise typer.Exit(1 if bad else 0)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    app()
