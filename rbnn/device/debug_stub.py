"""Presetting the RAM of a stopped QEMU through its debugger port.

QEMU's ``-device loader`` would do it, too, but it writes again at every warm reset, when a real
SRAM keeps what it holds.

Source: GDB manual, "Remote Protocol", packets ``M``, ``m`` and ``D``.
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
            self._exchange("D")
        finally:
            self._socket.close()

    def write(self, address: int, data: bytes) -> None:
        """Write memory.

        Raises:
            EmulatorError: there is no memory at that address.
        """
        for start in range(0, len(data), _BYTES_PER_PACKET):
            part = data[start : start + _BYTES_PER_PACKET]
            answer = self._exchange(f"M{address + start:x},{len(part):x}:{part.hex()}")
            if answer != "OK":
                raise EmulatorError(f"QEMU cannot write RAM at {address + start:#x}: {answer}.")

    def read(self, address: int, size: int) -> bytes:
        """Read memory.

        Raises:
            EmulatorError: there is no memory at that address.
        """
        data = b""
        while len(data) < size:
            wanted = min(_BYTES_PER_PACKET, size - len(data))
            answer = self._exchange(f"m{address + len(data):x},{wanted:x}")
            if answer.startswith("E"):
                raise EmulatorError(f"QEMU cannot read RAM at {address + len(data):#x}: {answer}.")
            data += bytes.fromhex(answer)
        return data

    def _exchange(self, packet: str) -> str:
        try:
            self._socket.sendall(f"${packet}#{sum(packet.encode()) % 256:02x}".encode())
            while self._byte() != b"$":
                pass
            answer = b""
            while (byte := self._byte()) != b"#":
                answer += byte
            self._byte()
            self._byte()
            self._socket.sendall(b"+")
        except OSError as error:
            raise self._silent(error) from error
        return answer.decode("ascii", errors="replace")

    def _byte(self) -> bytes:
        byte = self._socket.recv(1)
        if not byte:
            raise ConnectionResetError("the connection was closed")
        return byte

    def _silent(self, error: Exception) -> EmulatorError:
        return EmulatorError(f"The emulator's debugger port does not answer: {error}.")
