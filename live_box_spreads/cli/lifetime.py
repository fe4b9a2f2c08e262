"""How a command that runs until it is told to stop comes to its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def until_told_to_stop(*, stop_on_stdin_close: bool = False) -> Iterator[None]:
    """Take Ctrl-C and SIGTERM as the ordinary end of what runs inside.

    Inside, each of them is a KeyboardInterrupt; none leaves this context.

    Args:
        stop_on_stdin_close: the end of standard input is a SIGTERM too, so that nothing stays
            behind when the program that started this one is killed.
    """
    previous = signal.signal(signal.SIGTERM, _interrupt)
    if stop_on_stdin_close:
        stop_when_stdin_closes()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextlib.contextmanager
def stop_event() -> Iterator[asyncio.Event]:
    """Give an event that Ctrl-C and SIGTERM set; call it inside the running loop.

    What runs inside ends between two steps of its own choice, such as after a whole snapshot.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def set_stop(_signum: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    # Not loop.add_signal_handler: Windows has none.
    previous = {number: signal.signal(number, set_stop) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def stop_when_stdin_closes() -> None:
    """Send this process a SIGTERM at the end of its standard input."""
    threading.Thread(target=_terminate_after_stdin, daemon=True).start()


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _terminate_after_stdin() -> None:
    # Below sys.stdin, whose lock a thread of a dying interpreter must not hold.
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
