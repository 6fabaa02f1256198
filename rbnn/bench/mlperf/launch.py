"""Runs a Python program that looks for serial ports by USB ids, and lets it find one board only.

``python launch.py PORT VENDOR:PRODUCT PROGRAM [ARGUMENT]...``

In this process, and nowhere else, pyserial's list of ports is that one port, and pyusb, which the
program may ask for power meters, finds no device. Only pyserial is needed: the program may be run
by a Python that does not have rbnn.
"""

from __future__ import annotations

import os
import runpy
import sys
import types
from collections.abc import Sequence

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

DESCRIPTION = "rbnn emulated board"


def announce(port: str, vendor: int, product: int) -> None:
    """Make ``port`` the only device of this process."""
    info = ListPortInfo(port)
    info.description = DESCRIPTION
    info.vid, info.pid = vendor, product
    info.hwid = f"USB VID:PID={vendor:04X}:{product:04X}"
    list_ports.comports = lambda include_links=False: [info]
    usb, core = types.ModuleType("usb"), types.ModuleType("usb.core")
    core.find = lambda find_all=False, **_: [] if find_all else None  # type: ignore[attr-defined]
    usb.core = core  # type: ignore[attr-defined]
    sys.modules |= {"usb": usb, "usb.core": core}


def main(arguments: Sequence[str]) -> None:
    """Announce the port, then become the program."""
    port, ids, program, *rest = arguments
    vendor, product = (int(text, 16) for text in ids.split(":"))
    announce(port, vendor, product)
    sys.argv = [program, *rest]
    # As if the program had been started itself: its folder takes the place of this file's.
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
