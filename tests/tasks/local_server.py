"""A web server in a thread that serves bytes as good and bad servers do."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from types import ModuleType
from typing import Any

Publisher = Callable[[ModuleType, str, list[bytes]], None]
"""Serves archives in place of those of the published set ``module.attribute``."""


@dataclass
class Shelf:
    """What is served, and how.

    ``cut_after`` breaks the connection after this many body bytes, once; ``ranges`` says whether
    Range requests are honoured; ``asked`` collects (path, Range header) of every request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True
    wrong_range: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve() -> Iterator[Shelf]:
    """Run the server on a free port of this machine."""
    shelf = Shelf()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            shelf.asked.append((self.path, wanted))
            body = shelf.files.get(self.path)
            if body is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            start = 0
            if wanted and shelf.ranges:
                match = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert match is not None
                start = int(match[1])
                if start >= len(body):
                    self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                    return
                self.send_response(HTTPStatus.PARTIAL_CONTENT)
                shown = start + 7 if shelf.wrong_range else start
                self.send_header("Content-Range", f"bytes {shown}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            rest = body[start:]
            if shelf.cut_after is not None:
                rest, shelf.cut_after = rest[: shelf.cut_after], None
            with suppress(ConnectionError):  # the client may have closed the connection
                self.wfile.write(rest)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shelf
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
