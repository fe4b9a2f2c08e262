"""Where logs go: to stderr, so that stdout holds results and nothing else."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr(*, verbose: bool = False) -> None:
    """Print warnings to stderr, and with ``verbose`` what goes well too."""
    level = logging.INFO if verbose else logging.WARNING
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
