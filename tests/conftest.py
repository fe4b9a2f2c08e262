from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.skips import skip_lines

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from live_box_spreads.simulator.exchange import SimulatedExchange

# No test measures time: on a busy machine a slow example is no failure.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _fresh_logging() -> None:
    """Take back what a command told structlog: it may write to a stream that is closed by now."""
    structlog.reset_defaults()


@pytest.fixture
def exchange(shared_exchange: SimulatedExchange) -> Iterator[SimulatedExchange]:
    """The exchange of the folder's tests; the faults of one test are not seen by the next."""
    yield shared_exchange
    faults = shared_exchange.faults
    for each, default in ((each.name, type(faults)()) for each in fields(faults)):
        setattr(faults, each, getattr(default, each))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Say after pytest's own last line what was skipped; pytest itself says only how many."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker of xdist: the main process collects what all of them report
        return
    skipped = reporter.stats.get("skipped", [])
    for line in skip_lines(report.longrepr[2] for report in skipped):
        reporter.write_line(line)
