"""Finding the serial port of a real board: by the USB ids in its manifest, never by guessing."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Protocol

from serial.tools import list_ports

from rbnn.device.errors import PortError

UsbId = tuple[int, int]
"""Vendor and product number."""


class SerialPort(Protocol):
    """The part of pyserial's port description that is used."""

    @property
    def device(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def vid(self) -> int | None: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def serial_number(self) -> str | None: ...


def choose(board: str, usb_ids: Sequence[UsbId], candidates: Sequence[SerialPort]) -> str:
    """The one port whose USB ids are those of the board.

    Args:
        board: the board's name, for messages.
        usb_ids: from its manifest.
        candidates: the ports of this machine.

    Returns:
        The port's path.

    Raises:
        PortError: none matches, or more than one; the message lists them.
    """
    matching = [port for port in candidates if (port.vid, port.pid) in set(usb_ids)]
    if len(matching) == 1:
        return matching[0].device
    if matching:
        raise PortError(
            f"{len(matching)} ports could be the board {board!r}: {_listing(matching)}.",
            "Name one: --port PORT",
        )
    wanted = ", ".join(f"{vendor:04x}:{product:04x}" for vendor, product in usb_ids) or "none"
    present = _listing(candidates) if candidates else "no serial port at all"
    raise PortError(
        f"No port of the board {board!r} (USB {wanted}) is plugged in. This machine has: "
        f"{present}.",
        "Plug the board in, or name its port: --port PORT",
    )


def find(board: str, usb_ids: Sequence[UsbId]) -> str:
    """:func:`choose` among the ports of this machine."""
    return choose(board, usb_ids, sorted(list_ports.comports(), key=lambda port: port.device))


def probe_serial(path: str) -> str:
    """USB serial number of the debug probe whose serial port this is.

    Args:
        path: of the port, or of a link to it.

    Raises:
        PortError: it cannot be told, so another board might be written.
    """
    found: list[str | None] = [
        port.serial_number
        for port in list_ports.comports()
        if os.path.realpath(port.device) == os.path.realpath(path)
    ]
    if not found:
        why = "it is no USB port of this machine"
    elif not found[0]:
        why = "its probe has no USB serial number"
    elif not re.fullmatch(r"[0-9A-Za-z._-]+", found[0]):
        why = f"OpenOCD cannot be given its probe's serial number {found[0]!r}"
    else:
        return str(found[0])
    raise PortError(
        f"Which debug probe belongs to the port {path} cannot be told: {why}.",
        "Name the serial port of the board's own probe: --port PORT (such as /dev/ttyACM0).",
    )


def _listing(candidates: Sequence[SerialPort]) -> str:
    return ", ".join(
        f"{port.device} ("
        + (f"{port.vid:04x}:{port.pid:04x} " if port.vid and port.pid else "")
        + f"{port.description})"
        for port in candidates
    )
