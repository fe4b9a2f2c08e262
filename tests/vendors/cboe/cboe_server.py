"""Cboe's delayed quotes on loopback: pages with ETags, and whatever may go wrong."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class CboeServer:
    """Serves what is in ``pages`` until the ``with`` block ends.

    Attributes:
        pages: body by underlying.
        statuses: the status to answer instead, by underlying.
        headers: headers of every answer.
        requests: (underlying, status answered, headers of the request), in order.
        base_url: folder of the pages.
    """

    pages: dict[str, bytes]
    statuses: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    base_url: str = ""

    def __enter__(self) -> Self:
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                served.answer(self)

            def log_message(self, *_args: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/options"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.removeprefix("/options/_").removesuffix(".json")
        body = self.pages.get(name, b"")
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        status = self.statuses.get(name, 200 if name in self.pages else 404)
        if status == 200 and request.headers.get("If-None-Match") == etag:
            status = 304
        self.requests.append((name, status, dict(request.headers)))
        body = body if status == 200 else b""
        request.send_response(status)
        for header, value in {"ETag": etag, **self.headers}.items():
            request.send_header(header, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def asked(self, name: str) -> list[int]:
        """Return the statuses answered to the requests for one page."""
        return [status for asked, status, _ in self.requests if asked == name]
