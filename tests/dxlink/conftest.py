from __future__ import annotations

from tests.vendors.conftest import exchange, shared_exchange

__all__ = ["exchange", "shared_exchange"]
