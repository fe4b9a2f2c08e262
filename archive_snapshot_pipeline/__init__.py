"""The legacy CSV route: option-chain CSV in, box CSV out, on the same model as everything else."""

from __future__ import annotations

from archive_snapshot_pipeline.pipeline import BoxCsvReport, write_box_csv

__all__ = ["BoxCsvReport", "write_box_csv"]
