"""Serving the page on this machine's loopback address until Ctrl-C."""

from __future__ import annotations

import secrets
import socket
from types import FrameType

import uvicorn

from rbnn.console.application import HOSTS, application
from rbnn.console.board import HeldBoard
from rbnn.errors import RbnnError

LOOPBACK = HOSTS[0]
TOKEN_BYTES = 24
GRACE_S = 5
"""How long a request that is being answered may take once the console ends."""


class Console(uvicorn.Server):
    """A board's page and its address.

    Args:
        board: it; connected.
        port: of the loopback address; 0 for one that is free.

    Raises:
        RbnnError: the port is in use, or not for everybody.
    """

    def __init__(self, board: HeldBoard, port: int = 0) -> None:
        self._board = board
        self._socket = _bind(port)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}/{token}/"
        super().__init__(
            uvicorn.Config(
                application(board, token),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # a request that is no HTTP is not the user's to read about
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def serve_until_interrupted(self) -> None:
        """Answer until Ctrl-C; then the board is free."""
        try:
            self.run(sockets=[self._socket])
        except KeyboardInterrupt:  # uvicorn has ended, and passes the signal on
            pass
        finally:
            self._board.interrupt()
            self._board.disconnect()
            self.close()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On Ctrl-C or SIGTERM, nobody waits for the board any more."""
        self._board.interrupt()
        super().handle_exit(sig, frame)


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
        bound.listen()  # whoever reads the address may use it at once
    except OSError as error:
        bound.close()
        raise RbnnError(
            f"Port {port} of {LOOPBACK} cannot be used: {error.strerror}.",
            "Name another one with --http-port, or omit it: a free one is then found.",
        ) from error
    return bound
