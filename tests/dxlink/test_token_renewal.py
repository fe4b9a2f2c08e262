from __future__ import annotations

import asyncio

import pytest

from live_box_spreads.dxlink.token_renewal import TokenRenewal
from live_box_spreads.model.errors import FeedUnavailableError, LoginRefusedError


class Tokens:
    """Gives tokens, or the errors that it is told to."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def fetch(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return f"token-{self.asked}"


async def tokens_at(renewal: TokenRenewal, *times_secs: float) -> list[str]:
    found = []
    for now_secs in times_secs:
        found.append(renewal.fresh_token(now_secs))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return found


async def test_a_token_comes_when_it_is_due_and_once() -> None:
    tokens = Tokens()
    renewal = TokenRenewal(tokens.fetch, 100.0, 0.0)
    assert await tokens_at(renewal, 50.0, 100.0, 101.0, 102.0) == ["", "", "token-1", ""]
    assert await tokens_at(renewal, 200.0, 201.0, 202.0) == ["", "", "token-2"]
    assert tokens.asked == 2
    await renewal.close()


async def test_a_failure_is_tried_again_in_a_while() -> None:
    tokens = Tokens(FeedUnavailableError("away"))
    renewal = TokenRenewal(tokens.fetch, 100.0, 0.0)
    assert await tokens_at(renewal, 100.0, 101.0, 150.0, 161.0, 162.0) == [*[""] * 4, "token-2"]
    await renewal.close()


async def test_a_refused_login_is_told() -> None:
    renewal = TokenRenewal(Tokens(LoginRefusedError("no")).fetch, 100.0, 0.0)
    with pytest.raises(LoginRefusedError):
        await tokens_at(renewal, 100.0, 101.0)


async def test_closing_gives_up_a_fetch() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def for_ever() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    renewal = TokenRenewal(for_ever, 100.0, 0.0)
    renewal.fresh_token(100.0)
    await begun.wait()
    await renewal.close()
    assert ended.is_set()
