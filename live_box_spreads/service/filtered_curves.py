"""Filtered curves beside the snapshots: a collector keeps them, readers take them up.

The collector's subscriber updates the states with each snapshot and writes them to a small file.
Whoever shows a snapshot takes the newest state that is not after it, and lets it see that snapshot
if it has not. So a command, the page and the collector come to the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from live_box_spreads.books.conventions import Conventions
from live_box_spreads.books.curves.curve_filter import FilterState, filtered, unseen
from live_box_spreads.books.desk import Desk
from live_box_spreads.collector.events import Snapshot
from live_box_spreads.model.errors import BoxSpreadsError, StoreError
from live_box_spreads.stores.filter_states import (
    STATES_KEPT,
    States,
    read_states,
    write_states,
)
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.collector.events import Event
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.model.quality import QualityRules

LONGEST_REPLAY = 200
"""Snapshots that ``replayed`` goes back to at most; older ones have no weight left in minutes' or
hours' snapshots, and a year's daily ones fit."""

_log = structlog.get_logger(__name__)


class FilteredCurves:
    """Keeps the states of all roots of a folder; a subscriber of a collector."""

    name = "filtered curves"
    wants = (Snapshot,)

    def __init__(self, folder: Path, rules: QualityRules) -> None:
        """Go on where the file of the folder ends, if there is one.

        Args:
            folder: of the snapshots.
            rules: which legs are left out.
        """
        self._folder = folder
        self._rules = rules
        self._states: States | None = None

    @property
    def states(self) -> States:
        """The last few states of each root; read from the folder when first asked for."""
        if self._states is None:
            self._states, problems = states_beside(self._folder)
            for problem in problems:
                _log.warning("filtered_curves_begin_anew", reason=problem)
        return self._states

    def receive(self, event: Event) -> None:
        """Take a snapshot, and write the states."""
        if isinstance(event, Snapshot):
            take(self.states, event.chain, self._rules)
            write_states(self._folder, self.states)


def take(states: States, chain: Chain, rules: QualityRules) -> None:
    """Update the states of all roots with the next snapshot; one that is not later is no news.

    Args:
        states: changed in place; the last few of each root are kept.
        chain: the snapshot.
        rules: which legs are left out.
    """
    desk = Desk(chain, Conventions(rules=rules))
    for root in desk.loan_roots:
        state = _next(states.get(root, []), desk, root)
        if state is not None and state not in states.get(root, []):
            states[root] = [*states.get(root, []), state][-STATES_KEPT:]


def states_beside(folder: Path) -> tuple[States, list[str]]:
    """Return the states that a collector keeps beside the snapshots of a folder.

    Returns:
        The states, and what was wrong with them; both empty where nobody follows the folder.
    """
    try:
        return read_states(folder), []
    except StoreError as error:
        return {}, [str(error)]


def curves_at(
    states: States, desk: Desk, roots: Iterable[str] | None = None
) -> dict[str, SmoothCurve]:
    """Return the filtered curve of each root that was followed up to a snapshot.

    Args:
        states: of all roots.
        desk: of the snapshot; what it has computed of it is not computed again.
        roots: only these; all on which a box is a loan if not given.
    """
    asked = desk.loan_roots if roots is None else roots
    found = {root: state_of(states, desk, root) for root in asked}
    return {root: state.smooth() for root, state in found.items() if state is not None}


def state_of(states: States, desk: Desk, root: str) -> FilterState | None:
    """Return the state of a root at a snapshot; None where it was not followed up to there.

    A snapshot that the states have not seen yet is taken up, without changing them. One that tells
    nothing has the rates of before, for loans that begin on its own premium date, with larger
    errors; after a gap too long it has none.
    """
    now = desk.chain.snapshot_time
    before = [each for each in states.get(root, []) if each.quoted_at <= now]
    state = _next(before, desk, root) if before else None
    return None if state is None else unseen(state, now)


def replayed(
    path: Path, rules: QualityRules, progress: Callable[[int, int], None] = lambda *_: None
) -> tuple[States, list[str]]:
    """Follow the snapshots of a folder up to one of them, oldest first.

    Args:
        path: the last snapshot.
        rules: which legs are left out.
        progress: called with how many are done, and how many there are.

    Returns:
        The states, and what was wrong with snapshots that were passed over.
    """
    names = [each.name for each in SnapshotStore(path.parent).paths()]
    upto = names[: names.index(path.name) + 1] if path.name in names else [path.name]
    chosen = upto[-LONGEST_REPLAY:]
    states: States = {}
    problems = []
    for done, name in enumerate(chosen):
        progress(done, len(chosen))
        try:
            take(states, read_snapshot(path.parent / name), rules)
        except BoxSpreadsError as error:
            problems.append(str(error))
    return states, problems


def _next(before: list[FilterState], desk: Desk, root: str) -> FilterState | None:
    last = before[-1] if before else None
    if last is not None and last.quoted_at >= desk.chain.snapshot_time:
        return last
    return filtered(last, desk.lines(root))
