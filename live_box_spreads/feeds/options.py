"""Sections of a configuration: the kinds of values they hold, and the bounds of each kind.

A number has to make sense where it is used: a wait that is no time at all would keep a machine
busy, one of 1e300 s cannot be added to any date.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from live_box_spreads.net.addresses import NAMES_A_USER, base_url_fault

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_INTERVAL_SECS: Final = 0.1
MAX_INTERVAL_SECS: Final = 604_800.0
"""A snapshot ten times a second, or once a week."""

UNSHOWN: Final = "unshown_value"
"""Type of a validation error whose message may not repeat the value."""

_MOST_COUNT: Final = 1_000_000_000
_LONGEST_TEXT: Final = 200
_LONGEST_PATH: Final = 1000
_LONGEST_ADDRESS: Final = 500


def _between(low: float, high: float) -> Callable[[float], float]:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(f"should be from {low:,g} to {high:,.10g}")
        return value

    return check


def _home_expanded(folder: Path) -> Path:
    text = str(folder)
    if not text.isprintable():
        raise ValueError("holds a control character, which no path here may")
    if len(text) > _LONGEST_PATH:
        raise ValueError(f"has {len(text):,} characters; at most {_LONGEST_PATH:,}")
    try:
        return folder.expanduser()
    except RuntimeError:
        raise ValueError("there is no such home folder") from None


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a control character")
    return text


def _encrypted_or_loopback(url: str) -> str:
    if len(url) > _LONGEST_ADDRESS or not url.isprintable() or " " in url:
        raise ValueError("should be an https:// address without spaces or control characters")
    fault = base_url_fault(url, "secrets or prices travel there")
    if fault == NAMES_A_USER:
        raise PydanticCustomError(UNSHOWN, "{fault}", {"fault": fault})
    if fault:
        raise ValueError(fault)
    return url.rstrip("/")


_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Count = Annotated[int, Field(ge=0, le=_MOST_COUNT)]
Days = Annotated[int, Field(ge=0, le=3650)]
Snapshots = Annotated[int, Field(ge=1, le=1_000_000)]
Port = Annotated[int, Field(ge=1, le=65535)]
Interval = Annotated[_Positive, AfterValidator(_between(MIN_INTERVAL_SECS, MAX_INTERVAL_SECS))]
Secs = Annotated[_Positive, AfterValidator(_between(0.001, 1e9))]
Minutes = Annotated[_Positive, AfterValidator(_between(0.01, 1e7))]
Points = Annotated[_Positive, AfterValidator(_between(0.001, 1e6))]
Factor = Annotated[_Positive, AfterValidator(_between(0.001, 1e6))]
Rate = Annotated[_Positive, AfterValidator(_between(1e-4, 100.0))]
OfSpot = Annotated[_Positive, AfterValidator(_between(1e-4, 100.0))]
"""A fraction of the spot, such as a strike's."""
FromZeroOfSpot = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT), AfterValidator(_printable)]
HomePath = Annotated[Path, AfterValidator(_home_expanded)]
BaseUrl = Annotated[str, AfterValidator(_encrypted_or_loopback)]
"""An ``https://`` address, or one of this machine."""


class Section(BaseModel):
    """A frozen mapping that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def with_absolute_paths(self, base: Path) -> Self:
        """Return the same section with its relative paths below a folder."""
        paths = {key: base / value for key, value in self if isinstance(value, Path)}
        return self.model_copy(update=paths)


class FeedOptions(Section):
    """The section of one vendor's feed; every key has a default."""

    def conflict(self, snapshot_folder: Path) -> str:
        """Return why this feed cannot be collected into a folder; empty if it can."""
        del snapshot_folder
        return ""
