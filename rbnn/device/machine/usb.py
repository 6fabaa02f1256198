"""Debug probes on USB, with their serial numbers and serial ports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from serial.tools import list_ports

from rbnn.device.ports import SerialPort, UsbId
from rbnn.frozen import Frozen
from rbnn.image.board import Board

DEVICES = Path("/sys/bus/usb/devices")


class Probe(Frozen):
    """A device on USB whose ids are those of a board's probe.

    ``boards`` are all whose probe has these ids: one maker's boards often share them.
    """

    usb: str
    """Vendor and product number, such as ``0483:374b``."""
    serial: str
    name: str
    ports: tuple[str, ...]
    boards: tuple[str, ...]


def probes(
    boards: Sequence[Board],
    devices: Path = DEVICES,
    ports: Iterable[SerialPort] | None = None,
) -> list[Probe]:
    """The connected probes of these boards, in the order of their serial numbers.

    Args:
        boards: manifests; those without USB ids are never found.
        devices: where Linux lists what is on USB; elsewhere only probes with a port are found.
        ports: the serial ports; None for this machine's.
    """
    serial_ports = list(list_ports.comports() if ports is None else ports)
    known: dict[UsbId, list[str]] = {}
    for board in boards:
        for product in board.serial.product_ids if board.serial else ():
            assert board.serial
            known.setdefault((board.serial.vendor_id, product), []).append(board.name)
    named: dict[tuple[UsbId, str], str] = {}
    for folder in sorted(devices.glob("*")) if devices.is_dir() else []:
        read = [_line(folder / name) for name in ("idVendor", "idProduct", "serial", "product")]
        if read[0] and read[1]:
            named[(int(read[0], 16), int(read[1], 16)), read[2]] = read[3]
    for port in serial_ports:
        if port.vid is not None and port.pid is not None:
            named.setdefault(((port.vid, port.pid), port.serial_number or ""), port.description)
    return [
        Probe(
            usb=f"{usb[0]:04x}:{usb[1]:04x}",
            serial=serial,
            name=name,
            ports=tuple(
                sorted(
                    port.device
                    for port in serial_ports
                    if (port.vid, port.pid) == usb and (port.serial_number or "") == serial
                )
            ),
            boards=tuple(known[usb]),
        )
        for (usb, serial), name in sorted(named.items(), key=lambda item: item[0][1])
        if usb in known
    ]


def _line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
