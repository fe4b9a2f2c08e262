from __future__ import annotations

import pytest
import structlog
from hypothesis import HealthCheck, settings

# No test measures time: on a busy machine a slow example is no failure.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _fresh_logging() -> None:
    """Take back what a command told structlog: it may write to a stream that is closed by now."""
    structlog.reset_defaults()
