"""Filter states on disk: one small file beside the snapshots, so that a restart goes on.

The file has the last few states of each root, newest last, as JSON. It is written in one piece.
What cannot be read is set aside with a reason: a filter that begins anew is soon right again.
"""

from __future__ import annotations

import os
import uuid
from datetime import date, datetime  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from live_box_spreads.books.curves.curve_filter import KNOTS, FilterState
from live_box_spreads.books.curves.joint_model import Scales
from live_box_spreads.bounded_files import read_bounded
from live_box_spreads.model.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE_NAME: Final = "filtered_curves.json"
VERSION: Final = 1
STATES_KEPT: Final = 3
"""A reader that shows the snapshot before the newest one finds its state, or the one before it."""
_MAX_BYTES = 20_000_000

States = dict[str, list[FilterState]]
"""Of each root, oldest first."""


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    root: str
    quoted_at: datetime
    premium_date: date
    mean: list[float]
    covariance: list[float]
    """Lower triangle, row by row."""
    scales: list[tuple[float, float, float, float, float, float, float, float]]
    payment_dates: list[date]
    information: float
    snapshots: int
    jumped_at: datetime | None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    states: list[_State]


def read_states(folder: Path) -> States:
    """Return the states beside the snapshots of a folder; empty if there are none.

    Raises:
        StoreError: the file cannot be read, or is not what ``write_states`` writes.
    """
    path = folder / FILE_NAME
    try:
        data = read_bounded(path, _MAX_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; delete it") from error
    try:
        read = msgspec.json.decode(data, type=_File)
        if read.version != VERSION:
            raise StoreError(f"{path} has version {read.version}, not {VERSION}; delete it")
        states = [_filter_state(each) for each in read.states]
    except (msgspec.MsgspecError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error}; delete it") from error
    found: States = {}
    for state in sorted(states, key=lambda each: each.quoted_at):
        found.setdefault(state.root, []).append(state)
    return found


def changed_at(folder: Path) -> int:
    """Return what changes when ``write_states`` has written; 0 where there is no file."""
    try:
        return (folder / FILE_NAME).stat().st_mtime_ns
    except OSError:
        return 0


def write_states(folder: Path, states: Mapping[str, Sequence[FilterState]]) -> None:
    """Write the last few states of each root beside the snapshots of a folder.

    Raises:
        StoreError: the file cannot be written.
    """
    rows = [_row(state) for each in states.values() for state in each[-STATES_KEPT:]]
    data = msgspec.json.encode(_File(VERSION, rows))
    temporary = folder / f".{FILE_NAME}.{os.getpid()}.{uuid.uuid4().hex}.tmp"
    try:
        try:
            temporary.write_bytes(data)
            temporary.replace(folder / FILE_NAME)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{folder / FILE_NAME} cannot be written: {error.strerror}") from error


def _row(state: FilterState) -> _State:
    return _State(
        root=state.root,
        quoted_at=state.quoted_at,
        premium_date=state.premium_date,
        mean=state.mean.tolist(),
        covariance=state.covariance[np.tril_indices(KNOTS.size)].tolist(),
        scales=list(state.scales),
        payment_dates=list(state.payment_dates),
        information=state.information,
        snapshots=state.snapshots,
        jumped_at=state.jumped_at,
    )


def _filter_state(row: _State) -> FilterState:
    """Return a state.

    Raises:
        ValueError: its numbers are no state's.
    """
    count = KNOTS.size
    mean, triangle = np.array(row.mean), np.array(row.covariance)
    if mean.shape != (count,) or triangle.shape != (count * (count + 1) // 2,):
        raise ValueError(f"the state of {row.root} has {mean.size} forwards, not {count}")
    covariance = np.zeros((count, count))
    covariance[np.tril_indices(count)] = triangle
    covariance = covariance + covariance.T - np.diag(np.diag(covariance))
    if not (row.scales and np.all(np.isfinite(mean)) and np.all(np.isfinite(covariance))):
        raise ValueError(f"the state of {row.root} has numbers that are none")
    if np.any(np.array(row.scales) <= 0.0) or np.any(np.diag(covariance) < 0.0):
        raise ValueError(f"the state of {row.root} has a variance or a scale below zero")
    if row.quoted_at.utcoffset() is None or not row.payment_dates:
        raise ValueError(f"the state of {row.root} has no time zone or no payment dates")
    return FilterState(
        root=row.root,
        quoted_at=row.quoted_at,
        premium_date=row.premium_date,
        mean=mean,
        covariance=covariance,
        scales=tuple(Scales(*each) for each in row.scales),
        payment_dates=tuple(row.payment_dates),
        information=row.information,
        snapshots=row.snapshots,
        jumped_at=row.jumped_at,
    )
