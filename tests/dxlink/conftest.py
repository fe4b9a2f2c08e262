from __future__ import annotations

from tests.vendors.conftest import shared_exchange

__all__ = ["shared_exchange"]
