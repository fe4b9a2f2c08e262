"""Named troubles: faults that come together, last a while and pass; alone or in a random order."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from live_box_spreads.simulator.faults import Faults


@dataclass(frozen=True, slots=True)
class Scenario:
    """One trouble.

    Attributes:
        name: as in docs/simulator.md.
        changes: what happens, as :meth:`Faults.change` takes it.
        lasts_secs: how long until it is over; 0 if it happens in a moment.
        cuts: it begins with a cut connection, as it concerns the next one.
        cuts_after: it ends with a cut connection, without which its effects would stay.
    """

    name: str
    changes: Mapping[str, object]
    lasts_secs: float = 0.0
    cuts: bool = False
    cuts_after: bool = False

    def begin(self, faults: Faults) -> None:
        """Let it happen."""
        faults.change(self.changes)
        faults.resets += self.cuts

    def end(self, faults: Faults) -> None:
        """Let it be over; what the exchange has not used up yet is taken back."""
        faults.heal(self.changes)
        faults.resets += self.cuts_after

    @contextmanager
    def during(self, faults: Faults) -> Iterator[None]:
        """Let it happen for the length of a ``with`` block."""
        self.begin(faults)
        try:
            yield
        finally:
            self.end(faults)


_SHORT_LIFE = {"quote_token_secs": 1, "expiry_ends_sessions": True}
_ALL = (
    Scenario("reset", {"resets": "+1"}),
    Scenario("idle_close", {"idle_closes": "+1"}),
    Scenario("channel_close", {"channel_closes": "+1"}),
    Scenario("quote_token_lost", {"revocations": "+1"}),
    Scenario("quote_token_expires", _SHORT_LIFE, 3, cuts=True),
    Scenario("refused_quote_token", {"quote_token_secs": -1}, 2, cuts=True),
    Scenario("access_token_lost", {"access_revocations": "+1"}, cuts=True),
    Scenario("short_access_tokens", {"access_token_secs": 2, "access_revocations": "+1"}, 5),
    Scenario("freeze", {"frozen": True}, 5),
    Scenario("short_freeze", {"frozen": True}, 1),
    Scenario("refused_upgrades", {"refused_upgrades": 3}, 3, cuts=True),
    Scenario("html_401", {"html_401_responses": 1}, 3, cuts=True),
    Scenario("html_502", {"html_502_responses": 4}, 3, cuts=True),
    Scenario("not_acceptable", {"not_acceptable_responses": 2}, 3, cuts=True),
    Scenario("throttled", {"throttled_responses": 4}, 3, cuts=True),
    Scenario("truncated_rest", {"truncated_responses": 2}, 3, cuts=True),
    Scenario("trickled_rest", {"trickled_responses": 3}, 3, cuts=True),
    Scenario("gzip_bomb", {"bomb_responses": 3}, 3, cuts=True),
    Scenario("slow_rest", {"rest_delay_secs": 0.5}, 3, cuts=True),
    Scenario("auth_state_first", {"auth_state_first": True}, 2, cuts=True),
    Scenario("strict_auth_order", {"strict_auth_order": True}, 2, cuts=True),
    Scenario("eager_config", {"eager_config": True}, 2, cuts=True),
    Scenario("withheld_sizes", {"withheld_fields": ["bidSize", "askSize"]}, 2),
    Scenario("withheld_price", {"withheld_fields": ["askPrice"]}, 2, cuts_after=True),
    Scenario("reversed_fields", {"reversed_fields": True}, 2),
    Scenario("full_format", {"full_format": True}, 2),
    Scenario("sizes_unknown", {"sizes_unknown": True}, 2),
    Scenario("repeated_rows", {"repeated_rows": True}, 2),
    Scenario("truncated_frames", {"truncated_frames": 3}, 2),
    Scenario("garbled_frames", {"garbled_frames": 5}, 2),
    Scenario("noise", {"noise_frames": 20}, 2),
    Scenario("errors", {"error_frames": 10}, 2),
    Scenario("slow_frames", {"frame_delay_secs": 0.05}, 3),
    Scenario("stalled_root", {"silent_roots": ["SPXW", "NDXP"]}, 4),
    Scenario("demo_level", {"demo_level": True}, 2, cuts=True, cuts_after=True),
    Scenario("paused_market", {"paused": True}, 3),
    Scenario("full_session", {"most_subscriptions": 20}, 3, cuts=True, cuts_after=True),
    Scenario("low_rate", {"most_changes_a_minute": 20}, 3, cuts=True, cuts_after=True),
    Scenario("small_frames", {"most_frame_bytes": 2_000}, 3, cuts=True),
)
SCENARIOS: Mapping[str, Scenario] = MappingProxyType({each.name: each for each in _ALL})


async def play_for_ever(
    faults: Faults,
    rng: random.Random,
    on_trouble: Callable[[str], None],
    longest_rest_secs: float,
) -> None:
    """Let random scenarios happen, one after the other, until cancelled.

    Args:
        faults: of the exchange.
        rng: chooses; the same seed gives the same order.
        on_trouble: called with the name of each as it begins.
        longest_rest_secs: most seconds of health between two.
    """
    while True:
        await asyncio.sleep(rng.uniform(longest_rest_secs / 6, longest_rest_secs))
        scenario = rng.choice(_ALL)
        on_trouble(scenario.name)
        with scenario.during(faults):
            await asyncio.sleep(scenario.lasts_secs)
