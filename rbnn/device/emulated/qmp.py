"""QEMU's monitor protocol: one command, one answer, over a Unix socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from rbnn.device.errors import EmulatorError

TIMEOUT_S = 10.0


class Monitor:
    """A connection to a running QEMU. Use it in a ``with`` block.

    Args:
        path: its socket.

    Raises:
        EmulatorError: nothing answers there.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT_S)
        try:
            self._socket.connect(str(path))
            self._stream = self._socket.makefile("r", encoding="utf-8")
            self._read()
        except (OSError, ValueError) as error:
            self._socket.close()
            raise self._silent(error) from error
        self.execute("qmp_capabilities")

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run one command.

        Returns:
            The value of ``return``.

        Raises:
            EmulatorError: QEMU refuses, or does not answer in time.
        """
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            answer = self._read()
            while "event" in answer:
                answer = self._read()
        except (OSError, ValueError) as error:
            raise self._silent(error) from error
        if "error" in answer:
            raise EmulatorError(f"QEMU refused {command}: {answer['error'].get('desc')}.")
        return answer.get("return")

    def _read(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line:
            raise ValueError("the connection was closed")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _silent(self, error: Exception) -> EmulatorError:
        return EmulatorError(
            f"The emulator's monitor does not answer: {error}.",
            "Switch the emulated board off and on again: rbnn board cycle",
        )
