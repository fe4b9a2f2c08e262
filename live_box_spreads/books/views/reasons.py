"""The usual reason among many: those of one kind differ in their numbers alone."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = re.compile(r"[\d.,]+")


def usual_reason(reasons: Iterable[str]) -> tuple[str, int]:
    """Return the first reason of the most common kind, and how many are of that kind.

    Args:
        reasons: an empty one is none.

    Returns:
        The reason and its count; empty and 0 where there is none.
    """
    given = [reason for reason in reasons if reason]
    kinds = [_NUMBER.sub("", reason) for reason in given]
    for kind, count in Counter(kinds).most_common(1):
        return given[kinds.index(kind)], count
    return "", 0
