"""Presetting the RAM of a stopped QEMU through its debugger port.

QEMU's ``-device loader`` could do it too, but it writes again at every warm reset, whereas a real
SRAM keeps its contents.

Source: GDB manual, "Remote Protocol", packets ``M`` and ``D``.
"""

from __future__ import annotations

import socket
from pathlib import Path

from rbnn.device.errors import EmulatorError

TIMEOUT_S = 10.0
_BYTES_PER_PACKET = 1024


class DebugStub:
    """A connection to a stopped QEMU; leaving the ``with`` block lets it run.

    Args:
        path: the socket of its debugger port.

    Raises:
        EmulatorError: nothing answers there.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise self._silent(error) from error

    def __enter__(self) -> DebugStub:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._converse("D")
        except ConnectionError:
            pass  # a core that stops at once takes QEMU with it before the answer is read
        except OSError as error:
            raise self._silent(error) from error
        finally:
            self._socket.close()

    def write(self, address: int, data: bytes) -> None:
        """Write memory.

        Raises:
            EmulatorError: there is no memory at that address.
        """
        for start in range(0, len(data), _BYTES_PER_PACKET):
            part = data[start : start + _BYTES_PER_PACKET]
            answer = self.exchange(f"M{address + start:x},{len(part):x}:{part.hex()}")
            if answer != "OK":
                raise EmulatorError(f"QEMU cannot write RAM at {address + start:#x}: {answer}.")

    def exchange(self, packet: str) -> str:
        """Send one packet and return the answer.

        Raises:
            EmulatorError: QEMU does not answer in time.
        """
        try:
            return self._converse(packet)
        except OSError as error:
            raise self._silent(error) from error

    def _converse(self, packet: str) -> str:
        self._socket.sendall(f"${packet}#{sum(packet.encode()) % 256:02x}".encode())
        answer = self._packet()
        # A core that ran until now reports its stop first.
        while answer[:1] in ("T", "S"):
            answer = self._packet()
        return answer

    def _packet(self) -> str:
        while self._byte() != b"$":
            pass
        body = b""
        while (byte := self._byte()) != b"#":
            body += byte
        self._byte()
        self._byte()
        self._socket.sendall(b"+")
        return body.decode("ascii", errors="replace")

    def _byte(self) -> bytes:
        byte = self._socket.recv(1)
        if not byte:
            raise ConnectionResetError("the connection was closed")
        return byte

    def _silent(self, error: Exception) -> EmulatorError:
        return EmulatorError(f"The emulator's debugger port does not answer: {error}.")
