"""The legacy CSV route: option-chain CSV in, box CSV out, on the same model as everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive_snapshot_pipeline.pipeline import BoxCsvReport, write_box_csv

__all__ = ["BoxCsvReport", "write_box_csv"]


def __getattr__(name: str) -> object:
    """Import the pipeline when one of its names is asked for.

    Not before: ``python -m archive_snapshot_pipeline`` runs this file first, and then says in one
    line which packages are missing.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from archive_snapshot_pipeline import pipeline  # noqa: PLC0415

    return getattr(pipeline, name)
