"""Another ``boxes`` command in a process of its own that never outlives this one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GRACE_SECS = 10.0


@contextlib.contextmanager
def boxes_process(arguments: Sequence[str], env: Mapping[str, str]) -> Iterator[IO[str]]:
    """Run ``boxes`` with these arguments; give its standard output, and end it on leaving.

    The command must know ``--stop-on-stdin-close``: the pipe to it closes when this process
    ends, however it ends, and that ends the command.
    """
    command = [sys.executable, "-m", "live_box_spreads", *arguments, "--stop-on-stdin-close"]
    with subprocess.Popen(  # noqa: S603 # our own command, no shell
        command,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C is for this process, which then ends the other one
    ) as process:
        assert process.stdout is not None  # noqa: S101 # for the type checker: it is a pipe
        try:
            yield process.stdout
        finally:
            process.terminate()
            try:
                process.wait(_GRACE_SECS)
            except subprocess.TimeoutExpired:
                process.kill()
