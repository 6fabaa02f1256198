"""Choosing a real board's port."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rbnn.device.errors import PortError
from rbnn.device.ports import choose

IDS = ((0x0483, 0x374B), (0x0483, 0x3752))


@dataclass
class Port:
    device: str
    description: str
    vid: int | None
    pid: int | None


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
