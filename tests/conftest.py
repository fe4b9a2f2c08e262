from __future__ import annotations

import pytest
import structlog


@pytest.fixture(autouse=True)
def _fresh_logging() -> None:
    """Take back what a command told structlog: it may write to a stream that is closed by now."""
    structlog.reset_defaults()
