"""Reading what is no ordinary file: nothing waits, nothing takes more memory than allowed."""

from __future__ import annotations

import errno
import gzip
import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from live_box_spreads.bounded_files import gunzip_bounded, read_bounded

posix_only = pytest.mark.skipif(os.name != "posix", reason="no FIFOs or devices among files here")


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
def test_a_file_up_to_the_limit_is_read_whole(tmp_path: Path, size: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * size)
    assert read_bounded(file, 1000) == b"x" * size


def test_a_file_of_several_chunks_is_read_whole(tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    file = tmp_path / "file"
    file.write_bytes(data)
    assert read_bounded(file, 4_000_000) == data


def test_one_byte_more_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1001)
    with pytest.raises(OSError, match="larger than 1 kB") as caught:
        read_bounded(file, 1000)
    assert caught.value.errno == errno.EFBIG
    assert caught.value.strerror == "it is larger than 1 kB, the most that is read"


@posix_only
def test_a_fifo_is_refused_at_once_even_while_somebody_writes(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="pipe or socket, not a file"):
        read_bounded(fifo, 1000)
    both_ends = os.open(fifo, os.O_RDWR)
    try:
        os.write(both_ends, b"words")
        with pytest.raises(OSError, match="pipe or socket, not a file"):
            read_bounded(fifo, 1000)
    finally:
        os.close(both_ends)


@posix_only
def test_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    for device in (os.devnull, "/dev/zero"):
        with pytest.raises(OSError, match="it is a device"):
            read_bounded(Path(device), 1000)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="socket"):
            read_bounded(tmp_path / "socket", 1000)


def test_what_is_no_file_keeps_the_words_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "none", 1000)
    with pytest.raises(OSError):  # noqa: PT011 # a folder; Windows and POSIX say it differently
        read_bounded(tmp_path, 1000)
    with pytest.raises(OSError, match="NUL"):
        read_bounded(Path("a\0b"), 1000)


def test_gzip_of_several_members_is_unpacked_up_to_the_limit() -> None:
    data = gzip.compress(b"a" * 600) + gzip.compress(b"b" * 400)
    assert gunzip_bounded(data, 1000) == b"a" * 600 + b"b" * 400
    with pytest.raises(OSError, match="unpacks to more than 999 bytes"):
        gunzip_bounded(data, 999)


def test_a_gzip_bomb_costs_no_more_memory_than_allowed() -> None:
    bomb = gzip.compress(bytes(100_000_000), compresslevel=9)
    tracemalloc.start()
    try:
        with pytest.raises(OSError, match="unpacks to more than 1 MB"):
            gunzip_bounded(bomb, 1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("damage", [slice(0, -9), slice(0, 8)])
def test_damaged_gzip_is_refused_in_words(damage: slice) -> None:
    with pytest.raises(OSError, match="damaged gzip"):
        gunzip_bounded(gzip.compress(b"words" * 100)[damage], 1000)
