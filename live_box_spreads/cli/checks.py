"""What ``boxes doctor`` looks at, one function a check; each failure says what to do."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.settings import PACKAGED_CONFIG, environment, load_settings
from live_box_spreads.settings.env_files import dotenv_files
from live_box_spreads.settings.keyring import with_keyring
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from live_box_spreads.settings import Settings

MAX_CLOCK_SKEW_SECS = 10.0
MIN_FREE_BYTES = 500_000_000
"""About a thousand large snapshots."""


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was looked at.
        outcome: how it ended.
        detail: what was found; for a failure, what to do about it. Never a secret.
    """

    name: str
    outcome: Outcome
    detail: str


async def run_checks(config: Path | None) -> AsyncIterator[Check]:
    """Check everything that a collector needs, in the order in which it would miss it."""
    dotenv, env = check_dotenv()
    yield dotenv
    try:
        settings = load_settings(config, env)
    except BoxSpreadsError as error:
        yield Check("configuration", Outcome.FAILED, str(error))
        return
    yield Check("configuration", Outcome.OK, f"{config or PACKAGED_CONFIG}, feed {settings.feed}")
    yield check_store(settings.snapshot_folder)
    yield check_disk(settings.snapshot_folder)
    if settings.feed == "simulated":
        reason = "the feed is simulated; set `feed: tastytrade` for the vendor's quotes"
        for name in ("credentials", "login", "entitlement", "clock"):
            yield Check(name, Outcome.NOT_NEEDED, reason)
        return
    async for check in check_vendor(settings, env):
        yield check


def check_dotenv() -> tuple[Check, dict[str, str]]:
    """Check who can read the ``.env`` files; return the environment too."""
    try:
        env = environment()
    except BoxSpreadsError as error:
        return Check(".env", Outcome.FAILED, str(error)), dict(os.environ)
    files = ", ".join(map(str, dotenv_files()))
    detail = f"{files}: readable by its owner only" if files else "there is none"
    return Check(".env", Outcome.OK if files else Outcome.NOT_NEEDED, detail), env


def check_store(folder: Path) -> Check:
    """Check that a snapshot could be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"boxes doctor")
    except OSError as error:
        advice = "give yourself the right to write there, or change snapshot_storage.folder"
        return Check("snapshot folder", Outcome.FAILED, f"{folder}: {error.strerror}; {advice}")
    return Check("snapshot folder", Outcome.OK, f"{folder} is writable")


def check_disk(folder: Path) -> Check:
    """Check that there is room for snapshots."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    detail = f"{free / 1e9:.1f} GB free at {there}"
    if free < MIN_FREE_BYTES:
        advice = "make room, or lower max_snapshots_retained"
        return Check("disk space", Outcome.FAILED, f"{detail}; {advice}")
    return Check("disk space", Outcome.OK, detail)


async def check_vendor(settings: Settings, env: Mapping[str, str]) -> AsyncIterator[Check]:
    """Check credentials, login, entitlement and clock, as far as each lets the next one go."""
    base_url = settings.tastytrade.base_url
    try:
        credentials = Credentials.from_environment(with_keyring(env))
    except BoxSpreadsError as error:
        yield Check("credentials", Outcome.FAILED, str(error))
        return
    kind = "OAuth2" if credentials.is_oauth else "password session"
    yield Check("credentials", Outcome.OK, f"{kind}, present and not shown")
    async with TastytradeClient(credentials, base_url=base_url) as client:
        try:
            await client.log_in()
        except BoxSpreadsError as error:
            yield Check("login", Outcome.FAILED, str(error))
        else:
            yield Check("login", Outcome.OK, f"{base_url} accepts the credentials")
            yield await check_entitlement(client)
        if client.server_time is not None:
            yield check_clock(client.server_time, datetime.now(UTC))


async def check_entitlement(client: TastytradeClient) -> Check:
    """Check what quotes the account may stream."""
    try:
        token = await client.quote_token()
    except BoxSpreadsError as error:
        return Check("entitlement", Outcome.FAILED, str(error))
    timeliness = "delayed quotes" if token.is_delayed else "live quotes"
    return Check("entitlement", Outcome.OK, f"{timeliness}, level {token.level!r}")


def check_clock(server_time: datetime, now: datetime) -> Check:
    """Check this machine's clock against the server's, which tells whole seconds."""
    skew_secs = (now - server_time).total_seconds()
    if abs(skew_secs) > MAX_CLOCK_SKEW_SECS:
        side = "ahead of" if skew_secs > 0 else "behind"
        return Check(
            "clock",
            Outcome.FAILED,
            f"{abs(skew_secs):.0f} s {side} the server's; quote ages and trade dates would be "
            "wrong, so set the clock (NTP)",
        )
    return Check("clock", Outcome.OK, f"within {MAX_CLOCK_SKEW_SECS:.0f} s of the server's")
