"""Write the accuracy page and its pictures; see ``--help``."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from rich.progress import Progress

from benchmarks.accuracy import plots
from benchmarks.accuracy.chain_files import chain_paths, read_chain_files
from benchmarks.accuracy.page import page
from benchmarks.accuracy.real_chains import real_chains, roughness
from benchmarks.accuracy.real_half import measure
from benchmarks.accuracy.simulated import ERROR_DAYS, desk_errors, simulated_errors
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.kernels import KINKED, PARITY
from live_box_spreads.simulator.market.conditions import CONDITIONS

EXAMPLE = ("spx_20230914", "SPX", date(2024, 3, 15))
DESKS = {"joint": Conventions(), "per expiry": Conventions(fit=CurveFit.PER_EXPIRY)}
_TOLD_A_CHAIN = 4
"""Steps of the progress bar: read, halves, without one expiry at a time, every estimator."""


def main() -> None:
    """Measure, draw and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description="Measure the fair curve on the simulated market and on real chains.",
        epilog="example: python -m benchmarks.accuracy --data ../data --out docs/accuracy.md",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the real data")
    parser.add_argument("--out", type=Path, required=True, help="the page; images go beside it")
    parser.add_argument("--seeds", type=int, default=12, help="openings of the simulated market")
    asked = parser.parse_args()
    paths = chain_paths(asked.data)
    if not paths:
        parser.error(
            f"no chains in {asked.data / 'chains'}; --data is the folder with the real data"
        )
    PARITY.load()
    KINKED.load()
    with Progress() as progress:
        steps = asked.seeds * (len(CONDITIONS) + len(ERROR_DAYS)) + _TOLD_A_CHAIN * len(paths)
        task = progress.add_task("measuring", total=steps)

        def told(what: str) -> None:
            progress.update(task, advance=1, description=what)

        errors = simulated_errors(range(1, asked.seeds + 1), told)
        lagged = desk_errors(DESKS, range(1, asked.seeds + 1), told=told)
        files = read_chain_files(asked.data, told)
        half = measure(files, asked.data, told)
        chains = real_chains(files, told)
    images = asked.out.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    plots.errors_by_tenor(errors, images / "accuracy_simulated.png")
    plots.real_curves(chains, images / "accuracy_real_curves.png")
    plots.roughness_bars(roughness(chains), images / "accuracy_roughness.png")
    [example] = [file for file in files if file.name.startswith(EXAMPLE[0])]
    plots.residuals(example.chain, *EXAMPLE[1:], images / "accuracy_residuals.png")
    asked.out.write_text(page(errors, lagged, chains, half), encoding="utf-8")


if __name__ == "__main__":
    main()
