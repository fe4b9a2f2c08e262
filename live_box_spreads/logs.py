"""Where logs go: to stderr, so that stdout holds results and nothing else."""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from json import dumps
from typing import TYPE_CHECKING

import structlog

from live_box_spreads.plain_text import plain
from live_box_spreads.standard_streams import tell_losses_as

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

_MOST_FRAMES = 20
_MOST_CHARACTERS = 1000


def _in_plain_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Let no text of others move the cursor of a terminal or fill a log."""
    return {
        name: plain(value, _MOST_CHARACTERS) if isinstance(value, str) else value
        for name, value in event.items()
    }


# Not structlog's defaults, whose tracebacks print local variables: credentials are among them.
_AS_JSON: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _in_plain_text,
    structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=_MOST_FRAMES)
    ),
    structlog.processors.JSONRenderer(default=str),
)


def log_to_stderr(*, verbose: bool = False, json: bool = False) -> None:
    """Print warnings to stderr, and with ``verbose`` what goes well too.

    Args:
        verbose: whether to log what goes well too.
        json: one JSON object a line, with ``event``, ``level`` and ``timestamp`` (UTC), for
            programs; else a line for people.
    """
    level = logging.INFO if verbose else logging.WARNING
    if json:
        tell_losses_as(_lost_as_json)
    structlog.configure(
        processors=_AS_JSON if json else _for_people(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _for_people() -> tuple[Processor, ...]:
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        _in_plain_text,
        structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        ),
    )


def _lost_as_json(lines: int, reason: str) -> str:
    return dumps(
        {
            "event": "log_lines_lost",
            "lines": lines,
            "reason": reason,
            "level": "warning",
            "timestamp": datetime.now(UTC).isoformat(),
        }
    )
