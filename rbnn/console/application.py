"""What the console answers over HTTP, to whoever knows its token."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rbnn.console.board import GONE, HeldBoard
from rbnn.console.page import page, style
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.numbers import whole_number
from rbnn.tasks.sample import check_size

HOSTS = ("127.0.0.1", "localhost")
"""What a browser calls this machine. Another name in a request is that of a site whose owner has
it lead here (DNS rebinding)."""
STATIC = Path(__file__).parent / "static"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' blob: data:",
        "media-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
REFUSED = (
    "Refused: this is not the address that `rbnn console` has printed. Copy the whole of it.\n"
)


class Guard:
    """Lets only requests pass that know the token and that no other site's page makes, but for a
    link to the page."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers that keep what is on the page there."""
        if scope["type"] != "http":
            raise RuntimeError("The console answers HTTP only.")

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._app if self._passes(scope) else PlainTextResponse(REFUSED, status_code=403)
        await app(scope, receive, send_guarded)

    def _passes(self, scope: Scope) -> bool:
        given = scope["path"].removeprefix("/").split("/")[0].encode(errors="replace")
        headers = Headers(scope=scope)
        own = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        link = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
        return secrets.compare_digest(given, self._token) and (own or link)


def application(board: HeldBoard, token: str) -> Starlette:
    """The console of a board.

    Args:
        board: it; connected or not.
        token: the first part of every path.
    """

    async def show(request: Request) -> Response:
        return HTMLResponse(page())

    async def show_style(request: Request) -> Response:
        return Response(style(), media_type="text/css")

    async def state(request: Request) -> Response:
        return _document(await run_in_threadpool(board.state))

    async def infer(request: Request) -> Response:
        name = request.query_params.get("name", "")
        window = whole_number(request.query_params.get("window", "0"))
        raw = await _read(request, name)
        number = -1 if window is None else window
        return _document(await run_in_threadpool(board.infer, name, raw, number))

    async def profile(request: Request) -> Response:
        return _document(await run_in_threadpool(board.profile))

    def doing(act: Callable[[], None]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            await run_in_threadpool(act)
            return _document(await run_in_threadpool(board.state))

        return answer

    def with_task(act: Callable[[str], None]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            await run_in_threadpool(act, request.query_params.get("task", ""))
            return _document(await run_in_threadpool(board.state))

        return answer

    actions = {
        "connect": doing(board.connect),
        "disconnect": doing(board.disconnect),
        "lock": doing(board.lock),
        "unlock": with_task(board.unlock),
        "switch": with_task(board.switch),
        "infer": infer,
        "profile": profile,
    }
    routes = [
        Route("/", show),
        Route("/style.css", show_style),
        Route("/api/state", state),
        *(Route(f"/api/{name}", act, methods=["POST"]) for name, act in actions.items()),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(
        routes=[Mount(f"/{token}", routes=routes)],
        middleware=[
            Middleware(Guard, token=token),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False),
        ],
        exception_handlers={RbnnError: _refusal},
    )


async def _read(request: Request, name: str) -> bytes:
    """The body of a request, which is a file.

    Raises:
        TaskError: it is larger than a file that ``rbnn infer`` reads.
    """
    check_size(whole_number(request.headers.get("content-length", "")) or 0, name)
    raw = bytearray()
    async for part in request.stream():
        raw += part
        check_size(len(raw), name)
    return bytes(raw)


def _document(document: Frozen) -> Response:
    return JSONResponse(document.model_dump(mode="json"))


async def _refusal(request: Request, error: Exception) -> Response:
    """An error as ``--json`` prints it."""
    assert isinstance(error, RbnnError)
    gone = isinstance(error, GONE)
    return JSONResponse({"error": error.what, "try": error.fix}, status_code=503 if gone else 422)
