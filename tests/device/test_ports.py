"""Choosing a real board's port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from rbnn.device import ports
from rbnn.device.errors import PortError
from rbnn.device.ports import choose, probe_serial

IDS = ((0x0483, 0x374B), (0x0483, 0x3752))


@dataclass
class Port:
    device: str
    description: str
    vid: int | None
    pid: int | None
    serial_number: str | None = None


STLINK = Port("/dev/ttyACM0", "STM32 STLink", 0x0483, 0x374B)
OTHER_STLINK = Port("/dev/ttyACM1", "STM32 STLink", 0x0483, 0x3752)
ONBOARD = Port("/dev/ttyS0", "ttyS0", None, None)


def test_the_only_matching_port_is_chosen() -> None:
    assert choose("nucleo", IDS, [ONBOARD, STLINK]) == "/dev/ttyACM0"


def test_two_matching_ports_are_listed() -> None:
    with pytest.raises(PortError) as caught:
        choose("nucleo", IDS, [STLINK, ONBOARD, OTHER_STLINK])
    assert "/dev/ttyACM0" in caught.value.what
    assert "/dev/ttyACM1" in caught.value.what
    assert "/dev/ttyS0" not in caught.value.what
    assert "--port" in caught.value.fix


def test_without_a_matching_port_all_ports_are_listed() -> None:
    with pytest.raises(PortError, match=r"0483:374b.*ttyS0"):
        choose("nucleo", IDS, [ONBOARD])
    with pytest.raises(PortError, match="no serial port at all"):
        choose("nucleo", IDS, [])


def test_the_port_tells_which_probe_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three, garbled = (tmp_path / f"ttyACM{number}" for number in range(4))
    numbers = {one: "066AFF1", two: "066BFF2", three: None, garbled: "\x82\x00?"}
    there = [Port(str(path), "", 0x0483, 0x374B, number) for path, number in numbers.items()]
    monkeypatch.setattr(ports.list_ports, "comports", lambda: there)
    assert probe_serial(str(one)) == "066AFF1"
    link = tmp_path / "by-id"
    link.symlink_to(two)
    assert probe_serial(str(link)) == "066BFF2"
    for path, why in (
        (three, "has no USB serial number"),
        (garbled, "cannot be given"),
        (tmp_path / "ttyS0", "no USB port"),
    ):
        with pytest.raises(PortError, match=f"cannot be told: .*{why}") as refusal:
            probe_serial(str(path))
        assert "--port" in refusal.value.fix
