"""The checks of ``boxes doctor``, one function each; the line of a failure has what to do."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from live_box_spreads.feeds.vendor import Check, Outcome
from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.model.settlement import trade_date
from live_box_spreads.settings import (
    PACKAGED_CONFIG,
    environment,
    feed_setup,
    load_settings,
    make_feed,
    make_reference,
)
from live_box_spreads.settings.env_files import dotenv_files
from live_box_spreads.vendors.catalogue import VENDORS, checks_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from live_box_spreads.feeds.vendor import Vendor
    from live_box_spreads.settings import Settings

MIN_FREE_BYTES = 500_000_000
"""About a thousand large snapshots."""


async def run_checks(
    config: Path | None, vendors: tuple[Vendor, ...] = VENDORS
) -> AsyncIterator[Check]:
    """Check everything that a collector needs, in the order in which it would miss it."""
    dotenv, env = check_dotenv()
    yield dotenv
    try:
        settings = load_settings(config, env, vendors)
    except BoxSpreadsError as error:
        yield Check("configuration", Outcome.FAILED, str(error))
        return
    yield Check("configuration", Outcome.OK, f"{config or PACKAGED_CONFIG}, feed {settings.feed}")
    yield check_store(settings.snapshot_folder)
    yield check_disk(settings.snapshot_folder)
    yield check_reference(settings, datetime.now(UTC))
    vendor = settings.vendor()
    checks = checks_of(vendor) if vendor is not None else None
    if checks is None:
        yield await check_feed(settings, env)
        return
    async for check in checks(feed_setup(settings, env), settings.universe()):
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


def check_reference(settings: Settings, now: datetime) -> Check:
    """Check that the configured reference has rates for a quote of now."""
    desk = make_reference(settings)
    if desk is None:
        return Check("reference", Outcome.NOT_NEEDED, "reference.source is none: no spreads")
    found = desk.on(trade_date(now))
    if found.curve is None:
        return Check("reference", Outcome.FAILED, f"{found.reason}; see reference in the file")
    detail = f"{found.curve.name} of {found.curve.as_of}"
    return Check("reference", Outcome.OK, f"{detail} ({found.notice})" if found.notice else detail)


async def check_feed(settings: Settings, env: Mapping[str, str]) -> Check:
    """Check that a feed opens and lists what is configured."""
    try:
        async with make_feed(settings, env) as feed:
            contracts = await feed.contracts(settings.universe())
            found = (
                f"{feed.name}, {feed.timeliness}: {len(contracts):,} contracts, quotes of "
                f"{feed.market_time():%Y-%m-%d %H:%M} UTC"
            )
    except BoxSpreadsError as error:
        return Check("feed", Outcome.FAILED, str(error))
    return Check("feed", Outcome.OK, "; ".join([found, *contracts.failures.values()]))
