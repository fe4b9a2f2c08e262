"""Where the market data of third parties is; tests that read it are skipped without it."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CHAIN_FILES = sorted((DATA / "chains").glob("*.gz"))
"""Quote tables of Cboe, one an instant."""
TREASURY_YIELDS = DATA / "benchmarks" / "treasury_par_yields_daily_1990_2026.csv"
NO_DATA = "no real market data: shared/data is not beside the checkout"
