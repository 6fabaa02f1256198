"""Probes on USB, from a made-up list of Linux's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rbnn.device.machine.usb import probes
from rbnn.image.board import load_board

NUCLEO, L4, QEMU = (load_board(name) for name in ("nucleo", "nucleo-l4r5zi", "qemu"))


@dataclass
class Port:
    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    description: str = "n/a"


def plug(folder: Path, name: str, **said: str) -> None:
    (folder / name).mkdir(parents=True)
    for file, text in said.items():
        (folder / name / file).write_text(text + "\n")


def test_a_probe_is_listed_with_its_serial_number_and_port(tmp_path: Path) -> None:
    ids = {"idVendor": "0483", "idProduct": "374b", "product": "STM32 STLink"}
    plug(tmp_path, "1-1", **ids, serial="066DFF52")
    plug(tmp_path, "1-2", **ids, serial="0123ABCD")
    plug(tmp_path, "1-3", idVendor="1d6b", idProduct="0002", product="hub")
    plug(tmp_path, "1-1:1.0")
    ports = [Port("/dev/ttyACM0", 0x0483, 0x374B, "066DFF52"), Port("/dev/ttyS0")]
    found = probes([NUCLEO, L4, QEMU], tmp_path, ports)
    assert [(one.usb, one.serial, one.ports) for one in found] == [
        ("0483:374b", "0123ABCD", ()),  # without its port, perhaps for want of a driver
        ("0483:374b", "066DFF52", ("/dev/ttyACM0",)),
    ]
    assert {one.boards for one in found} == {("nucleo", "nucleo-l4r5zi")}
    assert probes([QEMU], tmp_path, ports) == []


def test_where_linux_lists_no_devices_the_ports_do(tmp_path: Path) -> None:
    ports = [Port("/dev/cu.usbmodem1", 0x0483, 0x374B, "066DFF52", "ST-Link VCP")]
    (found,) = probes([NUCLEO], tmp_path / "none", ports)
    assert found.name == "ST-Link VCP" and found.ports == ("/dev/cu.usbmodem1",)
