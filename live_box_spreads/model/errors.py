"""Every error that this project raises on purpose.

::

    BoxSpreadsError
    ├── ModelError (also ValueError)   a value that the maths cannot take
    │   ├── UnknownRootError           no such option root
    │   └── NotALoanError              American style: a box there can be assigned early
    ├── ConfigError                    a configuration that cannot be used
    ├── ChainError                     rows that do not make an option chain
    ├── FileFormatError                a file that is not what it is read as
    ├── StoreError                     a snapshot folder that cannot be used
    │   ├── StoreBusyError             another collector already writes there
    │   ├── StoreFullError             no room on the disk
    │   └── SnapshotError              a snapshot that cannot be read
    └── FeedError                      quotes that cannot be had
        ├── CredentialsError           missing or unreadable credentials
        ├── LoginRefusedError          the server refused it; never retried
        ├── ApiError                   any other refusal by the REST API
        ├── FeedEndedError             a recording is over; no failure
        ├── ProtocolError              a DXLink peer that breaks the protocol
        ├── AnswerTooLargeError        an answer beyond the limit; its rest was not read
        ├── UntrustedPeerError         a server whose certificate does not prove who it is
        └── FeedUnavailableError       the connection is lost or too slow; worth a retry
            └── TokenRefusedError      the quote token was refused; a fresh one may do

What to do about each is in ``net/verdicts.py``.

A message is one line: it names the thing, the value and what to do about it, and never holds a
secret. Faces print it and exit with status 1.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class BoxSpreadsError(Exception):
    """Base of all errors that this project raises on purpose."""


class ModelError(BoxSpreadsError, ValueError):
    """A value that the maths cannot take."""


class UnknownRootError(ModelError):
    """No such option root in the product registry."""


class NotALoanError(ModelError):
    """An American-style root: a box there can be assigned early and is no loan."""


class ConfigError(BoxSpreadsError):
    """A configuration that cannot be used."""


class ChainError(BoxSpreadsError):
    """Rows that do not make an option chain."""


class FileFormatError(BoxSpreadsError):
    """A file that is not what it is read as."""


class StoreError(BoxSpreadsError):
    """A snapshot folder that cannot be used."""


class StoreBusyError(StoreError):
    """Another collector already writes to this folder."""


class StoreFullError(StoreError):
    """There is no room on the disk of this folder."""


class SnapshotError(StoreError):
    """A snapshot that cannot be read."""


class FeedError(BoxSpreadsError):
    """Quotes that cannot be had."""


class CredentialsError(FeedError):
    """Missing or unreadable credentials."""


class LoginRefusedError(FeedError):
    """The server refused the login. Never retried: repeated failures block the address."""


class ApiError(FeedError):
    """The REST API refused a request.

    Attributes:
        status: HTTP status code.
        code: the API's own error code, such as ``not_permitted``; empty if it gave none.
    """

    def __init__(self, message: str, *, status: int, code: str = "") -> None:
        """Keep the status and the API's code beside the message."""
        super().__init__(message)
        self.status = status
        self.code = code


class FeedEndedError(FeedError):
    """The feed has given all that it has, as a recording does at its end."""


class ProtocolError(FeedError):
    """A DXLink peer that breaks the protocol."""


class AnswerTooLargeError(FeedError):
    """An answer beyond the limit of its kind; its rest was not read."""


class UntrustedPeerError(FeedError):
    """A server whose certificate does not prove who it is; nothing was sent to it."""


class FeedUnavailableError(FeedError):
    """The connection is lost or too slow; worth a retry."""


class TokenRefusedError(FeedUnavailableError):
    """The quote token was refused; a fresh one may be accepted."""


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'X'?"`` for the closest known name, or an empty string."""
    close = get_close_matches(value.upper(), list(known), n=1, cutoff=0.5)
    close = close or get_close_matches(value.lower(), list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""
