"""The process in which snapshots are decoded that may be damaged or foreign.

It reads requests from its standard input and answers on its standard output, one after another,
until the input ends or nothing was asked for a while. A request is a line of JSON (``format``,
``source``, ``bytes``) and the file; an answer is a line of JSON (``ok``, ``bytes``) and either the
same chain as parquet of this program, or the reason why there is none. The first line is
``ready``.

What makes polars panic, abort or want more memory than the limit costs this process alone.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.stores.codec import DECODERS, to_parquet

READY = b"ready\n"
MAX_CPU_SECS = 60
_IDLE_SECS = 60.0
_DATA_BYTES = 1 << 30  # 500,000 contracts take half of it
_ADDRESS_BYTES = 3 << 30  # what polars reserves and does not touch counts here
_LONGEST_REASON = 1_000


def main() -> None:
    """Answer requests."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may write among the answers
    _limit_memory()
    _send(answers, READY)
    while _asked(requests) and (line := requests.readline()):
        request = json.loads(line)
        _limit_time()
        data = requests.read(request["bytes"])
        ok, content = _answer(data, request["format"], Path(request["source"]))
        header = {"ok": ok, "bytes": len(content)}
        _send(answers, json.dumps(header).encode() + b"\n" + content)


def _answer(data: bytes, file_format: str, source: Path) -> tuple[bool, bytes]:
    try:
        return True, to_parquet(DECODERS[file_format](data, source))  # type: ignore[index] # one of ours
    except BoxSpreadsError as error:
        reason = str(error)
    except MemoryError:
        reason = f"{source} takes too much memory to decode"
    except BaseException as error:  # noqa: BLE001 # a panic of polars is no Exception
        reason = f"{source} cannot be decoded: {type(error).__name__}"
    return False, reason[:_LONGEST_REASON].encode(errors="replace")


def _asked(requests: IO[bytes]) -> bool:
    """Wait for a request; False if none came. Windows cannot wait for a pipe: there, it stays."""
    return os.name == "nt" or bool(select.select([requests], [], [], _IDLE_SECS)[0])


def _send(answers: IO[bytes], data: bytes) -> None:
    answers.write(data)
    answers.flush()


def _limit_memory() -> None:
    if os.name == "nt":
        return
    import resource  # noqa: PLC0415 # there is none on Windows

    limits = {"RLIMIT_CORE": 0, "RLIMIT_DATA": _DATA_BYTES, "RLIMIT_AS": _ADDRESS_BYTES}
    for name, most in limits.items():
        with suppress(AttributeError, ValueError, OSError):  # not every system has each of them
            resource.setrlimit(getattr(resource, name), (most, most))


def _limit_time() -> None:
    """End this process if one request takes too long and its parent is gone."""
    if os.name == "nt":
        return
    import resource  # noqa: PLC0415 # there is none on Windows

    until = int(time.process_time()) + MAX_CPU_SECS
    with suppress(ValueError, OSError):  # a lower limit was inherited, and holds
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
