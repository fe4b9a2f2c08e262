"""One line of ``boxes doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
