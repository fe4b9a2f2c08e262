"""What a user waits for: the page, the commands and a backfill, by plain code and by kernels.

    python benchmarks/faces.py [CHAIN] [--json F]

A chain is a quote table of Cboe or a snapshot; without one, the largest of the real chains beside
the checkout is taken, or a simulated one. Every row is computed afresh from the chain, as after a
new snapshot in a process that has been running for a while. Times are CPU time of the process.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

from benchmarks.accuracy.simulated import chain_of as simulated_chain
from benchmarks.timing import timed, write_json
from live_box_spreads.books.boxes.search import Search
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.kernels import ALL
from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.dashboard.parts import PARTS
from live_box_spreads.feeds.importers import read_cboe
from live_box_spreads.settings import Settings
from live_box_spreads.simulator.market.conditions import CONDITIONS
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.model.chain import Chain

REAL = Path(__file__).resolve().parents[2] / "shared/data/chains"
LARGEST = "spx_20250904_1430intraday_cboe.csv.gz"
ROUNDS = 7


def chain_of(file: Path | None) -> Chain:
    """Return the chain of a file; without one a real one, or else a simulated one."""
    if file is None and (REAL / LARGEST).is_file():
        file = REAL / LARGEST
    if file is None:
        opened = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
        return simulated_chain(Market(opened, conditions=CONDITIONS["normal"]))
    return read_snapshot(file) if file.suffix == ".parquet" else read_cboe(file)


def faces(chain: Chain, root: str, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what to time, by name."""
    settings = Settings.model_validate({"snapshot_storage": {"folder": str(folder)}})
    path, conventions = settings.store().write(chain), settings.conventions()

    def page() -> None:
        view = MarketView(settings, clock=lambda: chain.snapshot_time)
        market = view.snapshots.newest().market
        assert market is not None
        expiries = chain.expiries(root)
        controls: dict[str, Any] = dict.fromkeys(("history", "centre", "half_width"))
        controls |= {"root": root, "expiry": expiries[len(expiries) // 2].isoformat()}
        controls |= {"compounding": "effective", "min_leg_volume": 0, "time": "expiry"}
        controls |= {"price": "mid", "side": "lend", "scheme": "light", "painted": True}
        choices = Choices.read(controls)
        for part in PARTS:
            part.draw(view, market, choices)

    def best() -> None:
        desk = Desk(chain, conventions)
        desk.best(Search("lend"))
        desk.best(Search("borrow"))

    warm, limits = Desk(chain, conventions), count(1)
    warm.curve()

    return {
        f"page of {root}, all parts": page,
        "boxes curve, all roots": lambda: Desk(chain, conventions).curve(),
        "boxes best, both sides, with the curve": best,
        # Another limit each time, so that the answer is not the one that is kept.
        "best of one side, with strikes and curve there": lambda: warm.best(
            Search("lend", limit=next(limits))
        ),
        "one snapshot of a backfill: read, curve, bands": lambda: Desk(
            read_snapshot(path), conventions
        ).curve(),
    }


def main() -> None:
    """Time each face by plain code, then by kernels, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chain", nargs="?", type=Path, help="quote table or snapshot")
    parser.add_argument("--json", type=Path, metavar="F", help="write what was seen to this file")
    asked = parser.parse_args()
    chain = chain_of(asked.chain)
    root = max(chain.roots, key=lambda name: len(chain.expiries(name)))
    with tempfile.TemporaryDirectory() as folder:
        ways = faces(chain, root, Path(folder))
        seconds: dict[str, list[float]] = {}
        for kind in ("plain", "kernels"):
            if kind == "kernels":
                for kernel in ALL:
                    kernel.load()
            for name, way in ways.items():
                way()
                seconds[f"{name} ({kind})"] = timed(way, ROUNDS, process_time)
    print(f"{len(chain.quotes):,} contracts of {', '.join(chain.roots)}")
    print(f"{'face':<50}{'plain ms':>10}{'kernels ms':>12}{'ratio':>8}")
    for name in ways:
        plain, fast = (median(seconds[f"{name} ({kind})"]) for kind in ("plain", "kernels"))
        print(f"{name:<50}{plain * 1e3:>10,.0f}{fast * 1e3:>12,.0f}{plain / fast:>8.1f}")
    write_json(asked.json, "faces", seconds)


if __name__ == "__main__":
    main()
