"""``boxes simulate``: the local exchange by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads.cli.lifetime import until_told_to_stop
from live_box_spreads.cli.options import StopOnStdinCloseOption, examples
from live_box_spreads.cli.output import tell
from live_box_spreads.prerequisites import exit_unless_met
from live_box_spreads.standard_streams import going_on_without_output

if TYPE_CHECKING:
    from live_box_spreads.simulator.faults import Faults
    from live_box_spreads.simulator.market.conditions import Conditions

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "boxes simulate",
        "boxes simulate --port 9100 --seed 7",
        "boxes simulate --fault sizes_unknown --fault refused_upgrades=3",
        "boxes simulate --day lagging_large",
        "boxes simulate --trouble 1",
    )
)
def simulate(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same market.")] = 1,
    day: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Kind of day, such as normal, night or lagging_large."),
    ] = None,
    fault: Annotated[
        list[str],
        typer.Option(metavar="NAME[=VALUE]", help="Start with this fault; may be repeated."),
    ] = [],  # noqa: B006 - typer's way to say none
    trouble: Annotated[
        int | None, typer.Option(min=0, metavar="SEED", help="Let random faults come and go.")
    ] = None,
    stop_on_stdin_close: StopOnStdinCloseOption = False,
) -> None:
    """Run a simulated exchange on loopback that speaks the vendor's REST and DXLink.

    Faults can be changed while it runs: see docs/simulator.md.
    """
    exit_unless_met("boxes simulate", "simulator")
    from live_box_spreads.simulator.exchange import (  # noqa: PLC0415
        SimulatorOptions,
        serve_forever,
    )

    options = SimulatorOptions(
        seed=seed,
        port=port,
        conditions=_conditions(day),
        trouble_seed=trouble,
        on_trouble=_tell_trouble,
    )
    _inject(options.faults, fault)
    stopped_by = until_told_to_stop(stop_on_stdin_close=stop_on_stdin_close)
    with going_on_without_output(), stopped_by:
        serve_forever(options, on_ready=_tell_how_to_use)


def _conditions(day: str | None) -> Conditions:
    from live_box_spreads.simulator.market.conditions import (  # noqa: PLC0415
        CONDITIONS,
        DEMO_DAY,
    )

    name = DEMO_DAY if day is None else day
    if name not in CONDITIONS:
        known = ", ".join(CONDITIONS)
        raise typer.BadParameter(f"no day {name!r}; choose from {known}", param_hint="--day")
    return CONDITIONS[name]


def _inject(faults: Faults, wanted: list[str]) -> None:
    from live_box_spreads.model.errors import ConfigError  # noqa: PLC0415
    from live_box_spreads.simulator.faults import parse_fault  # noqa: PLC0415

    try:
        faults.change(dict(map(parse_fault, wanted)))
    except ConfigError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None


def _tell_trouble(name: str) -> None:
    tell(f"{datetime.now(UTC):%H:%M:%S} trouble: {name}")


def _tell_how_to_use(base_url: str) -> None:
    from live_box_spreads.simulator.credentials import (  # noqa: PLC0415
        DEMO_CLIENT_SECRET,
        DEMO_REFRESH_TOKEN,
    )

    typer.echo(
        f"""{base_url}

# In another terminal, point the client at it (Ctrl-C here ends it):
export BOX_FEED=tastytrade
export BOX_TASTYTRADE__BASE_URL={base_url}
export BOX_SNAPSHOT_STORAGE__FOLDER="$PWD/simulated_snapshots"
export TT_CLIENT_SECRET={DEMO_CLIENT_SECRET}
export TT_REFRESH_TOKEN={DEMO_REFRESH_TOKEN}
boxes collect"""
    )
