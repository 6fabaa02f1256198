"""``rbnn doctor``: everything that rbnn needs here, in one list."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.table import Table
from serial.tools import list_ports

from rbnn.device.emulated.emulator import PROGRAM
from rbnn.device.machine import checks
from rbnn.device.machine.checks import Check
from rbnn.device.machine.usb import Probe, probes
from rbnn.errors import RbnnError
from rbnn.image.board import Board, board_names, load_board
from rbnn.image.workplace import workplace
from rbnn.monocypher import folder as monocypher_folder
from rbnn.monocypher import is_current
from rbnn.places import cache_folder

MARKS = {"ok": "ok", "missing": "missing", "note": "-"}


def examine(board: str | None) -> list[Check]:
    """Check everything.

    Args:
        board: what it must do for; None for emulated boards. A real board also needs OpenOCD, the
            right to use its probe and port, and itself.

    Raises:
        RbnnError: no such board.
    """
    chosen = None if board is None else load_board(board)
    is_real = chosen is not None and not chosen.is_emulated_only
    boards, bad = _boards()
    emulator = checks.program(PROGRAM, "emulator", needed=not is_real)
    emulated = [chosen] if chosen else boards
    return [
        checks.python(),
        checks.package("tensorflow", "TensorFlow", needed=False),
        checks.package("larq", "Larq", needed=False),
        checks.program("cc", "C compiler of this machine", needed=True),
        checks.program("arm-none-eabi-gcc", "C compiler for Cortex-M", needed=True),
        checks.program("arm-none-eabi-objcopy", "its binary utilities", needed=True),
        checks.package("platformio", "PlatformIO"),
        _monocypher(),
        emulator,
        *([] if is_real else [checks.machines(emulated, emulator, PROGRAM)]),
        checks.program("openocd", "OpenOCD", needed=is_real),
        checks.udev_rules([chosen] if chosen else boards, needed=is_real),
        *(checks.group(name, needed=is_real) for name in checks.GROUPS),
        _ports(),
        _probes(chosen, probes(boards), needed=is_real),
        checks.cache("cache of data and of the C engine", cache_folder()),
        checks.cache("cache of builds, PlatformIO's core", workplace().cache),
        *bad,
    ]


def _boards() -> tuple[list[Board], list[Check]]:
    loaded, bad = [], []
    for name in board_names():
        try:
            loaded.append(load_board(name))
        except RbnnError as error:
            bad.append(
                Check(
                    name=f"board {name}",
                    state="missing",
                    needed=False,
                    found=error.what,
                    fix=error.fix,
                )
            )
    return loaded, bad


def _monocypher() -> Check:
    place = monocypher_folder()
    held = is_current(place)
    return Check(
        name="Monocypher",
        state="ok" if held else "note",
        needed=False,
        found=str(place) if held else "not there yet; the first build fetches it",
        fix="" if held else "python -m rbnn.monocypher",
    )


def _ports() -> Check:
    ports = sorted(port.device for port in list_ports.comports())
    barred = [port for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    if barred:
        return Check(
            name="serial ports",
            state="missing",
            needed=False,
            found=f"no right to use {', '.join(barred)}",
            fix="sudo usermod -aG dialout $USER, then log in again",
        )
    return Check(
        name="serial ports",
        state="ok" if ports else "note",
        needed=False,
        found=", ".join(ports) or "none",
    )


def _probes(board: Board | None, found: Sequence[Probe], *, needed: bool) -> Check:
    own = [probe for probe in found if board is None or board.name in probe.boards]
    said = ", ".join(
        " ".join([probe.usb, probe.serial, *probe.ports, f"({' or '.join(probe.boards)})"])
        for probe in own
    )
    if own:
        return Check(name="connected probes", state="ok", needed=needed, found=said)
    return Check(
        name="connected probes",
        state="missing" if needed else "note",
        needed=needed,
        found="none" if board is None else f"none of a board {board.name}",
        fix="Plug the board's probe into USB, with a cable that carries data." if needed else "",
    )


def table(found: Sequence[Check]) -> Table:
    """For the terminal: what was found."""
    shown = Table(title="What rbnn needs here", title_justify="left")
    shown.add_column("", no_wrap=True)
    shown.add_column("state", no_wrap=True)
    shown.add_column("found")
    for one in found:
        mark = MARKS[one.state] + (
            ", not needed" if one.state == "missing" and not one.needed else ""
        )
        shown.add_row(one.name, mark, one.found)
    return shown


def fixes(found: Sequence[Check]) -> list[str]:
    """What to do, a line each: commands that can be copied, so not in a column."""
    return [f"fix {one.name}: {one.fix}" for one in found if one.fix and one.state != "ok"]
