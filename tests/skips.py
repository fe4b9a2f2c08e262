"""The last lines of a run: how many tests were skipped, which need, and how to run them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Need:
    """Something that some tests cannot run without.

    Attributes:
        what: its name.
        told_by: pieces of the reasons that tests give when it is not there.
        how: how to get it.
    """

    what: str
    told_by: tuple[str, ...]
    how: str


NEEDS: Final = (
    Need("Chromium", ("chromium",), "install it (Debian and Ubuntu: apt install chromium)"),
    Need(
        "real market data (not ours to give away)",
        ("shared/data",),
        "put it into ../shared/data",
    ),
    Need("uv", ("uv is not installed",), "install uv"),
    Need(
        "other clients of the simulated exchange",
        ("the SDK is not installed", "node and npm", "JavaScript client"),
        "install Node, and `uv sync --extra dev --group witness` or, with pip, tastytrade>=13.2",
    ),
    Need("a git checkout", ("git is not installed", "no git checkout"), "clone the repository"),
)


def skip_lines(reasons: Iterable[str]) -> list[str]:
    """Return what to say of skipped tests, nothing if there are none.

    Args:
        reasons: the reason of each skipped test.
    """
    counts = Counter(_said(reason) for reason in reasons)
    if not counts:
        return []
    total = counts.total()
    head = f"{total} test{' was' if total == 1 else 's were'} skipped:"
    return [head, *(f"  {count:>4}  {said}" for said, count in counts.most_common())]


def _said(reason: str) -> str:
    reason = reason.removeprefix("Skipped: ")
    for need in NEEDS:
        if any(piece in reason for piece in need.told_by):
            return f"without {need.what}; to run them: {need.how}"
    return reason
