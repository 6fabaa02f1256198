"""What an emulated chip's memory holds, read past the serial line."""

from __future__ import annotations

import json
from pathlib import Path

from rbnn.device.emulated.debug_stub import DebugStub
from rbnn.device.emulated.emulator import Emulator

_READ_BYTES = 1024


def debug_port(emulator: Emulator) -> Path:
    """The socket of its debugger port; the core is stopped while anyone is connected."""
    state = json.loads(emulator.device.state_file.read_bytes())
    return Path(state["sockets"]) / "gdb"


def read_memory(emulator: Emulator, address: int, size: int) -> bytes:
    """``size`` bytes of its memory."""
    data = b""
    with DebugStub(debug_port(emulator)) as stub:
        while len(data) < size:
            wanted = min(_READ_BYTES, size - len(data))
            data += bytes.fromhex(stub.exchange(f"m{address + len(data):x},{wanted:x}"))
    return data
