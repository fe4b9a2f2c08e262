"""How to react to DXLink's own failures; the general table is ``net/verdicts.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from live_box_spreads.net import verdicts
from live_box_spreads.net.verdicts import Ruling, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_box_spreads.net.verdicts import Row

HANDSHAKE_CLOSE_CODES: Final[Sequence[Row]] = (
    (frozenset({1000, 1008}), Ruling(Verdict.RENEW, "closed in place of accepting the token")),
)
"""How the server closes while the token waits to be accepted; any other end as on any websocket."""

COMPLAINTS: Final[Sequence[tuple[str, str, Ruling]]] = (
    (
        "BAD_ACTION",
        "subscription size is too big",
        Ruling(Verdict.SHRINK, "the session is full; what does not fit is not streamed"),
    ),
    (
        "BAD_ACTION",
        "subscription rate is too high",
        Ruling(Verdict.RETRY, "changes of this minute were dropped; wait, then send them again"),
    ),
    (
        "UNSUPPORTED_PROTOCOL",
        "",
        Ruling(Verdict.GIVE_UP, "the server no longer speaks this version of DXLink"),
    ),
    ("UNAUTHORIZED", "", Ruling(Verdict.RENEW, "the quote token was refused or has lapsed")),
)
"""ERROR frames by type and part of the message; any other informs and closes nothing."""

_INFORMS: Final = Ruling(Verdict.GO_ON, "an ERROR frame informs; what it leads to comes by itself")


def close_ruling(code: int | None, *, in_handshake: bool = False) -> Ruling:
    """Return what the end of a stream's websocket asks for.

    Args:
        code: the server's close code; None if the connection broke without one.
        in_handshake: whether the token was sent and not accepted yet.
    """
    ruling = verdicts.close_ruling(code)
    if not in_handshake:
        return ruling
    return verdicts.look_up(HANDSHAKE_CLOSE_CODES, code or 0, ruling)


def complaint_ruling(error: str, message: str) -> Ruling:
    """Return what an ERROR frame asks for.

    Args:
        error: its type, such as ``BAD_ACTION``.
        message: its text for people.
    """
    for kind, part, ruling in COMPLAINTS:
        if error == kind and part in message.lower():
            return ruling
    return _INFORMS
