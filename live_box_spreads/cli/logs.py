"""Where logs go: to stderr, so that stdout holds results and nothing else."""

from __future__ import annotations

import logging
import sys

import structlog

_AS_JSON = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.dict_tracebacks,
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
    structlog.configure(
        processors=_AS_JSON if json else None,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
