"""What the benchmarks share: time a call many times, and write what was seen as JSON.

Every benchmark of this folder takes ``--json F``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PACKAGES = ("live-box-spreads", "numpy", "polars", "numba", "scipy")


def timed(
    way: Callable[[], object], rounds: int, clock: Callable[[], float] = perf_counter
) -> list[float]:
    """Return the seconds of each call.

    Args:
        way: what to time.
        rounds: how often.
        clock: ``perf_counter`` for what a person waits, ``process_time`` for the CPU time of this
            process, on which others on the machine have less influence.
    """
    seconds = []
    for _ in range(rounds):
        began = clock()
        way()
        seconds.append(clock() - began)
    return seconds


def json_file(arguments: Sequence[str] | None = None) -> Path | None:
    """Return the file that ``--json`` names; None without it.

    Args:
        arguments: of the command line; None for the real ones.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, metavar="F", help="write what was seen to this file")
    file: Path | None = parser.parse_args(arguments).json
    return file


def write_json(file: Path | None, benchmark: str, rows: Mapping[str, Any]) -> None:
    """Write the rows of a benchmark, with the machine that they were seen on.

    Args:
        file: where; None writes nothing.
        benchmark: its name.
        rows: by name of the way: seconds of each round (written with their median and least), or
            any other figures.
    """
    if file is None:
        return
    found = {
        "benchmark": benchmark,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "packages": {name: version(name) for name in PACKAGES},
        "rows": {name: _figures(seen) for name, seen in rows.items()},
    }
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _figures(seen: Any) -> Any:
    if isinstance(seen, list):
        return {"median_secs": median(seen), "least_secs": min(seen), "secs": seen}
    return seen
