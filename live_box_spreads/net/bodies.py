"""The body of an answer, read piece by piece within a limit on what comes and what it unpacks to.

A body is never unpacked further than the limit: a few megabytes of gzip can hold gigabytes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from live_box_spreads.model.errors import AnswerTooLargeError, FeedError, FeedUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPTED_ENCODINGS: Final = "gzip"
"""What is asked for, and the one packing that is read."""

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_PLAIN: Final = frozenset({"", "identity"})
_PIECE_BYTES: Final = 64 * 1024
_GZIP_WINDOW: Final = zlib.MAX_WBITS | 16


class BoundedBody:
    """Collects one body.

    Attributes:
        received: bytes that came so far, as they came.
    """

    def __init__(self, limit_bytes: int, what: str) -> None:
        """Prepare for a plain body; ``unpack_as`` sets another.

        Args:
            limit_bytes: most bytes that may come, and most that they may unpack to.
            what: what was asked for, for errors.
        """
        self.received = 0
        self._limit_bytes = limit_bytes
        self._what = what
        self._unpacker: _Gunzip | None = None
        self._body = bytearray()

    def unpack_as(self, encoding: str) -> None:
        """Take note of the header ``Content-Encoding``.

        Raises:
            FeedError: a packing that was not asked for.
        """
        encoding = encoding.strip().lower()
        if encoding in _GZIP:
            self._unpacker = _Gunzip()
        elif encoding not in _PLAIN:
            raise FeedError(
                f"{self._what}: the answer is packed as {encoding[:40]!r}, not as asked for; "
                "see what stands between this machine and the server"
            )

    def take(self, part: bytes) -> None:
        """Add what came.

        Raises:
            AnswerTooLargeError: more than the limit, packed or unpacked.
            FeedUnavailableError: it cannot be unpacked.
        """
        self.received += len(part)
        if self.received > self._limit_bytes:
            raise self._too_large("")
        if self._unpacker is None:
            self._body += part
            return
        try:
            for piece in self._unpacker.pieces(part):
                if len(self._body) + len(piece) > self._limit_bytes:
                    raise self._too_large(" once unpacked")
                self._body += piece
        except zlib.error as error:
            raise self._damaged() from error

    def whole(self) -> bytes:
        """Return the body after its last part.

        Raises:
            FeedUnavailableError: it is packed and breaks off.
        """
        if self.received and self._unpacker is not None and not self._unpacker.is_whole:
            raise self._damaged()
        return bytes(self._body)

    def _too_large(self, when: str) -> AnswerTooLargeError:
        return AnswerTooLargeError(
            f"{self._what}: the answer has more than {self._limit_bytes:,} bytes{when}, given up; "
            "see whether this is the right address"
        )

    def _damaged(self) -> FeedUnavailableError:
        return FeedUnavailableError(
            f"{self._what}: the packed answer is damaged or breaks off; try again"
        )


class _Gunzip:
    """Unpacks gzip, of one member or several, in pieces of bounded size."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    @property
    def is_whole(self) -> bool:
        """Whether what came so far ends with the end of a member."""
        return self._member.eof

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """Yield what a part unpacks to; raises ``zlib.error`` if it cannot be unpacked."""
        while True:
            if self._member.eof and part:
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            piece = self._member.decompress(part, _PIECE_BYTES)
            yield piece
            part = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if not part and len(piece) < _PIECE_BYTES:
                return
