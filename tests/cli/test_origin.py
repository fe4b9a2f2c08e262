"""Every table of rates says how timely its quotes are, and what to beware of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.stores.snapshots import SnapshotStore
from tests.dashboard.market import chain_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Boxes

COMMANDS = [
    ("book", "--root", "SPXW", "--expiry", "2025-12-19"),
    ("curve", "--root", "SPXW"),
    ("best", "--root", "SPXW"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_table_names_its_feed_and_tells_of_a_lost_stream(
    boxes: Boxes, tmp_path: Path, command: tuple[str, ...]
) -> None:
    notes = {"stream_lost_since": "2025-09-04T18:13:00+00:00", "polled_quotes": "7"}
    chain = replace(chain_at(), notes=notes)
    word, *options = command
    result = boxes(word, SnapshotStore(tmp_path / "store").write(chain), *options)
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    assert f"{chain.origin} quotes of 2025-09-04 18:15 UTC" in said
    assert f"beware: {chain.caveat}\n" in result.err
