"""The compiled reader takes over while the stream runs, over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from structlog.testing import capture_logs

from live_box_spreads.dxlink import compact
from live_box_spreads.machine_code import Kernel
from live_box_spreads.vendors.tastytrade import stream as tastytrade_stream
from tests.vendors.tastytrade.stream_helpers import streaming

if TYPE_CHECKING:
    import pytest

    from live_box_spreads.simulator.exchange import SimulatedExchange


async def test_a_busy_stream_goes_over_to_the_compiled_reader(
    exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    plain = compact.PlainReader.read

    def noted(reader: compact.PlainReader, data: bytes) -> list[compact.PlainRows] | None:
        read.append(data)
        return plain(reader, data)

    monkeypatch.setattr(compact.PlainReader, "read", noted)
    monkeypatch.setattr(tastytrade_stream, "_BUSY_FOR_SECS", 0.1)
    monkeypatch.setattr(tastytrade_stream, "_BUSY_EVENTS_A_SECOND", 1)
    async with streaming(exchange) as stream:
        await stream.until(lambda seen: seen.streamed.any())
        stream.seen.forget()
        await stream.until(lambda seen: read and np.isfinite(seen.ask).any())


async def test_a_compiler_that_fails_costs_speed_and_no_quotes(
    exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tastytrade_stream, "READER", Kernel("no_numba_for_this_machine"))
    monkeypatch.setattr(tastytrade_stream, "_BUSY_FOR_SECS", 0.1)
    monkeypatch.setattr(tastytrade_stream, "_BUSY_EVENTS_A_SECOND", 1)
    async with streaming(exchange) as stream:
        await stream.until(lambda seen: seen.streamed.mean() > 0.95)
        stream.seen.forget()
        seen = await stream.until(lambda seen: np.isfinite(seen.ask).any())
        assert seen.connections_lost == 0


async def test_a_quiet_stream_never_loads_the_compiler(
    exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would be logged if it were loaded, as there is no such module.
    monkeypatch.setattr(tastytrade_stream, "READER", Kernel("not_a_module_at_all"))
    monkeypatch.setattr(tastytrade_stream, "_BUSY_FOR_SECS", 0.05)
    with capture_logs() as logs:
        async with streaming(exchange) as stream:
            await stream.until(lambda seen: seen.streamed.mean() > 0.95)
            stream.seen.forget()
            await stream.until(lambda seen: np.isfinite(seen.ask).any())
    assert [log for log in logs if log["event"] == "reading_frames_slowly"] == []
