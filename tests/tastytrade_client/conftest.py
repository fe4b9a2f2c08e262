from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stamina

from tests.exchange_fixture import exchange_fixture

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _retry_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


shared_exchange = exchange_fixture("package", seed=7, roots=("XSP",), password_logins=True)
