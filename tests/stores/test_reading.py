"""Files that are damaged, foreign, huge or no files: one line each, soon, and nothing breaks."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from live_box_spreads.model.chain import CHAIN_SCHEMA, UNCHECKED
from live_box_spreads.model.errors import SnapshotError, StoreError
from live_box_spreads.stores import child_decoder, codec, reading
from live_box_spreads.stores.child_decoder import ChildDecoder
from live_box_spreads.stores.digest import seal
from live_box_spreads.stores.parquet_outline import outline
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.real_data import DATA, NO_DATA
from tests.stores.chains import many_contracts, small_chain
from tests.stores.old_files import (
    WRITTEN_BY_0_1_0,
    metadata_of,
    old_parquet,
    parquet_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
OLD = sorted(WRITTEN_BY_0_1_0.iterdir())
FOUND = sorted((DATA / "odd_files" / "snapshots").glob("*.parquet"))
NAME = "snapshot_20261124_150000.parquet"


def refusal(path: Path) -> str:
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(path)
    told = str(caught.value)
    assert str(path) in told
    assert "\n" not in told
    assert len(told) < len(str(path)) + 400
    return told


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.suffix)
def test_a_snapshot_of_the_first_version_is_read_and_said_to_be_unchecked(path: Path) -> None:
    chain = read_snapshot(path)
    assert chain.quotes.equals(small_chain().quotes)
    assert (chain.spot, chain.rejected) == (small_chain().spot, small_chain().rejected)
    assert list(chain.notes) == [UNCHECKED]
    assert chain.caveat == (
        "damage would go unnoticed: it was written without a digest, as by version 0.1.0"
    )


def test_a_folder_of_the_first_version_goes_on(tmp_path: Path) -> None:
    for path in OLD:
        written(tmp_path / path.name, path.read_bytes())
    store = SnapshotStore(tmp_path, retain=2)
    new = store.write(small_chain())
    assert new.name == "snapshot_20261124_150000_3.parquet"
    assert read_snapshot(new).caveat == ""
    assert store.prune() == [tmp_path / OLD[0].name]
    assert store.paths() == [tmp_path / OLD[1].name, new]


def test_a_chain_that_was_unchecked_is_so_after_it_is_written_again(tmp_path: Path) -> None:
    path = SnapshotStore(tmp_path).write(read_snapshot(OLD[0]))
    assert "would go unnoticed" in read_snapshot(path).caveat


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFO in a folder")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    fifo, loop, device = (tmp_path / f"snapshot_20261124_15000{n}.parquet" for n in range(3))
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    device.symlink_to("/dev/zero")
    assert "no regular file" in refusal(fifo)
    assert "cannot be read" in refusal(loop)
    assert "no regular file" in refusal(device)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with path.open("wb") as file:
        file.truncate(reading.MAX_FILE_BYTES + 1)  # a hole: it takes no room
    assert "too large for a snapshot: 67,108,865 bytes" in refusal(path)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / NAME, codec.to_parquet(small_chain()))
    ask = os.fstat

    def grow_after(descriptor: int) -> os.stat_result:
        found = ask(descriptor)
        with path.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(os, "fstat", grow_after)
    assert "changed while it was read" in refusal(path)


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.suffix)
def test_an_old_file_cut_anywhere_is_refused(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    step = 1 if path.suffix == ".csv" else 7
    for length in range(0, len(data), step):
        refusal(written(tmp_path / path.name, data[:length]))


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.suffix)
def test_an_old_file_changed_anywhere_breaks_nothing(path: Path, tmp_path: Path) -> None:
    chance = random.Random(20261124)  # noqa: S311 # bytes to change, no secret
    data = path.read_bytes()
    target = tmp_path / path.name
    read = 0
    for _ in range(80):
        changed = bytearray(data)
        for _ in range(chance.choice([1, 1, 4, 40])):
            changed[chance.randrange(4, len(changed) - 4)] = chance.randrange(256)
        try:
            chain = read_snapshot(written(target, bytes(changed)))
        except SnapshotError as error:
            assert "\n" not in str(error)  # noqa: PT017 # either end is right
        else:
            read += 1
            assert "would go unnoticed" in chain.caveat
    assert read < 80


def _many_rows(count: int, *names: str) -> pl.DataFrame:
    one = small_chain().quotes.head(1)
    columns = [one[name].new_from_index(0, count) for name in names or one.columns]
    return pl.DataFrame(columns)


BOMBS = {
    "rows": lambda: _many_rows(5_000_000, "root", "underlying"),
    "columns": lambda: pl.DataFrame(
        {**{f"c{n}": [1.5] for n in range(3_000)}, **small_chain().quotes.head(1).to_dict()}
    ),
    "texts": lambda: small_chain().quotes.with_columns(root=pl.lit("S" * 2_000_000)),
    "nested": lambda: small_chain().quotes.with_columns(
        root=pl.lit([[["S"] * 1_000]], dtype=pl.List(pl.List(pl.List(pl.String))))
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "without digest"])
def test_a_small_file_that_unpacks_to_much_is_refused(
    kind: str, *, sealed: bool, tmp_path: Path
) -> None:
    frame = BOMBS[kind]()
    metadata = {**metadata_of(small_chain()), "rows": str(len(frame))}
    if not sealed:
        metadata = {k: v for k, v in metadata.items() if not k.startswith("digest")}
    data = parquet_of(frame, metadata)
    path = written(tmp_path / NAME, seal(data, "parquet") if sealed else data)
    assert path.stat().st_size < 1_000_000
    if kind == "columns":  # more than is asked for is left out, and costs little
        assert len(read_snapshot(path).quotes) == 1
    else:
        refusal(path)


def test_a_sealed_file_that_states_less_than_its_pages_hold_is_not_decoded_here() -> None:
    data = codec.to_parquet(many_contracts(1_000))
    found = outline(data)
    assert found is not None
    assert (found.rows, set(found.columns)) == (1_000, set(CHAIN_SCHEMA))
    assert found.uncompressed_bytes > 10_000
    # The number of rows in the footer and in its row group, as Thrift writes it: 1,000, twice.
    thousand, five = b"\x16\xd0\x0f", b"\x16\x0a"
    footer = data.rfind(b"\x16\xd0\x0f")
    assert footer > 0
    assert outline(data[:footer] + five + data[footer + len(thousand) :]) is None


def test_a_chain_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"500,001 contracts .* could not be read again"):
        SnapshotStore(tmp_path).write(many_contracts(500_001))
    assert SnapshotStore(tmp_path).paths() == []


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        (b'spot: {"SPX": 6912.34}', b'spot: {"SPX": "much"}', "no object of int or float"),
        (b'spot: {"SPX": 6912.34}', b"spot: " + b"[" * 100_000, "unusable metadata"),
        (b"rows: 2", b"rows: " + b"9" * 5_000, "unusable metadata"),
        (b"+00:00", b"", "without its offset"),
        (b"2026-11-24T15:00:00+00:00", b"0001-01-01T00:00:00+23:00", "session calendar"),
        (b"SPX,SPX", b"SPX," + b"S" * 1_000, "underlying of 1,000 bytes"),
        (b"schema_version: 1", b"schema_version: " + b"1" * 9_999, "has schema version 111"),
        (b"timeliness: simulated", b"timeliness: " + b"x" * 9_999, "unusable metadata"),
    ],
)
def test_a_spoilt_csv_without_a_digest_is_one_bounded_line(
    found: bytes, put: bytes, said: str, tmp_path: Path
) -> None:
    data = OLD[1].read_bytes()
    assert found in data
    assert said in refusal(written(tmp_path / OLD[1].name, data.replace(found, put, 1)))


@pytest.mark.realdata
@pytest.mark.skipif(not FOUND, reason=NO_DATA)
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_damaged_file_that_was_found_breaks_nothing(path: Path) -> None:
    refusal(path)


class TestChildDecoder:
    @pytest.fixture
    def decoder(self) -> Iterator[ChildDecoder]:
        decoder = ChildDecoder()
        yield decoder
        decoder.close()

    def test_the_child_is_kept_and_started_again_when_it_has_ended(
        self, decoder: ChildDecoder
    ) -> None:
        data = old_parquet(small_chain())
        first = decoder.rewritten(data, "parquet", Path(NAME))
        child = decoder._child
        assert child is not None
        assert decoder.rewritten(data, "parquet", Path(NAME)) == first
        assert decoder._child is child
        assert child.stdin is not None
        child.stdin.close()  # as one that was idle: it ends by itself
        assert child.wait(30) == 0
        assert decoder.rewritten(data, "parquet", Path(NAME)) == first
        assert decoder._child is not child

    def test_many_threads_use_one(self, decoder: ChildDecoder) -> None:
        chains = [many_contracts(count) for count in range(1, 9)]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(
                lambda chain: decoder.rewritten(old_parquet(chain), "parquet", Path(NAME)), chains
            )
            counts = [len(codec.from_parquet(data, Path(NAME)).quotes) for data in found]
        assert counts == list(range(1, 9))

    def test_a_file_that_takes_for_ever_is_given_up(self) -> None:
        decoder = ChildDecoder(decode_secs=0.0)
        data = old_parquet(small_chain())
        with pytest.raises(SnapshotError, match="takes more than 0 s"):
            decoder.rewritten(data, "parquet", Path(NAME))
        assert decoder._child is None
        assert threading.active_count() < 50

    def test_an_interpreter_that_does_not_start_is_named(
        self, decoder: ChildDecoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(SnapshotError, match="does not start"):
            decoder.rewritten(b"PAR1", "parquet", Path(NAME))
        monkeypatch.undo()
        monkeypatch.setattr(child_decoder, "_CODE", "raise SystemExit(7)")
        with pytest.raises(SnapshotError, match=r"does not start \(exit status 7\)"):
            decoder.rewritten(b"PAR1", "parquet", Path(NAME))

    def test_the_child_inherits_no_secret(
        self, decoder: ChildDecoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TT_PASSWORD", "s3cret")
        decoder.rewritten(old_parquet(small_chain()), "parquet", Path(NAME))
        assert decoder._child is not None
        environment = Path(f"/proc/{decoder._child.pid}/environ")
        if not environment.exists():
            pytest.skip("needs /proc")
        assert b"s3cret" not in environment.read_bytes()


READ_WITH_NOTHING_OPEN = """
import os, sys
for descriptor in (0, 1, 2):
    os.close(descriptor)
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from live_box_spreads.stores.snapshots import read_snapshot
chain = read_snapshot(Path(sys.argv[2]))
os._exit(len(chain.quotes) + (40 if chain.caveat else 0))
"""


def test_an_old_file_is_read_from_a_checkout_with_standard_streams_closed(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 # our own interpreter and code
        [sys.executable, "-c", READ_WITH_NOTHING_OPEN, str(CHECKOUT), str(OLD[0])],
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 42
