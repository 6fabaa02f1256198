"""``rbnn boards``: the boards known here, what fits them, and which of them are plugged in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from rbnn.device.machine.usb import Probe, probes
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.image.board import Board, board_names, load_board
from rbnn.image.fit import CODE_BYTES
from rbnn.image.memory import APPLICATION_BYTES
from rbnn.pages.units import KB

INPUT = (32, 32, 3)
CLASSES = 10
TASKS = 7
"""The largest network is that for so many tasks, as with ``rbnn nets``."""


class BoardLine(Frozen):
    """One board. Sizes in bytes; ``model_*`` is what the application leaves for a model."""

    board: str
    title: str = ""
    folder: str = ""
    cpu: str = ""
    clock_hz: int = 0
    is_emulated_only: bool = False
    machine: str | None = None
    flash: int = 0
    ram: int = 0
    model_flash: int = 0
    model_ram: int = 0
    largest: str | None = None
    """The network with the most bits that fits; None if none does, or nobody asked."""
    connected: tuple[Probe, ...] = ()
    error: str | None = None
    """Why its manifest cannot be used."""


def overview(*, fit: bool) -> Iterator[BoardLine]:
    """All boards.

    Args:
        fit: also search the largest network for each, which takes a second a board.
    """
    loaded: list[Board] = []
    for name in board_names():
        try:
            loaded.append(load_board(name))
        except RbnnError as error:
            yield BoardLine(board=name, error=error.what)
    found = probes(loaded)
    for board in loaded:
        yield BoardLine(
            board=board.name,
            title=board.title,
            folder=str(board.folder),
            cpu=board.cpu,
            clock_hz=board.clock_hz,
            is_emulated_only=board.is_emulated_only,
            machine=board.emulator.machine if board.emulator else None,
            flash=board.flash.bytes,
            ram=board.ram.bytes,
            model_flash=board.flash.bytes - CODE_BYTES,
            model_ram=board.ram.bytes - APPLICATION_BYTES - board.stack_bytes,
            largest=largest_network(board) if fit else None,
            connected=tuple(probe for probe in found if board.name in probe.boards),
        )


def largest_network(board: Board) -> str | None:
    """Architecture, width and bits of the network with the most bits that fits."""
    from rbnn.image.candidates import candidates

    first = candidates(board, (), (), None, None, INPUT, CLASSES, TASKS)[0]
    if not first.fits:
        return None
    return f"{first.architecture} {first.width}, {first.bits / 1000:,.0f} kbit"


def table(lines: Sequence[BoardLine]) -> Table:
    """For the terminal."""
    shown = Table(title="Boards", title_justify="left")
    shown.add_column("board", no_wrap=True)
    for head in ("core", "flash KB", "RAM KB"):
        shown.add_column(head, justify="right")
    for head in ("largest network", "connected"):
        shown.add_column(head)
    for line in lines:
        if line.error is not None:
            shown.add_row(line.board, "", "", "", "", line.error)
            continue
        shown.add_row(
            line.board,
            f"{line.cpu.removeprefix('cortex-').upper()}, {line.clock_hz / 1e6:g} MHz",
            f"{line.flash / KB:,.0f}",
            f"{line.ram / KB:,.0f}",
            line.largest or "",
            "\n".join(map(_connection, line.connected)) or _absence(line),
        )
    return shown


def _connection(probe: Probe) -> str:
    return " ".join([probe.usb, probe.serial or "no serial number", *probe.ports])


def _absence(line: BoardLine) -> str:
    if line.is_emulated_only:
        return f"emulated ({line.machine})"
    return "no" + (f"; --emulated: {line.machine}" if line.machine else "")
