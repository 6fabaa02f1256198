"""What a board says about itself, for ``rbnn board status``."""

from __future__ import annotations

from rich.table import Table

from rbnn.device.answers import DeviceLicence, DeviceTask, Identity, StackUse
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.device.target import Target
from rbnn.frozen import Frozen
from rbnn.spec.link import Protection
from rbnn.spec.status import Status

PROTECTIONS = {
    Protection.NONE: "none: the chip or its emulation has none",
    Protection.OPEN: "open: a debug probe reads flash and RAM; see rbnn lock-board",
    Protection.FLASH: "flash: a debug probe does not read the flash, but reaches the RAM",
    Protection.CHIP: "chip: a debug probe reaches neither flash nor RAM, but can erase them",
    Protection.PERMANENT: "permanent: the debug port is off for ever",
}
"""What each state of the read-out protection means."""


class BoardStatus(Frozen):
    """State of a board; only name and power if it is off."""

    board: str
    on: bool
    port: str = ""
    identity: Identity | None = None
    tasks: tuple[DeviceTask, ...] = ()
    licences: tuple[DeviceLicence, ...] = ()
    stack: StackUse | None = None

    def table(self) -> Table:
        """The state as a table for the terminal."""
        table = Table(show_header=False, title=f"Board {self.board}", title_justify="left")
        table.add_row("power", "on" if self.on else "off")
        if self.identity is not None:
            table.add_row("port", self.port)
            table.add_row("firmware", f"{self.identity.firmware}, {self.identity.build} build")
            table.add_row("model", self.identity.model_id or "none")
            table.add_row("protection", PROTECTIONS[self.identity.protection])
            table.add_row("fingerprint", self.identity.puf)
            table.add_row("public key", self.identity.public or "none")
        sequences = {licence.task: licence.sequence for licence in self.licences}
        for task in self.tasks:
            licence = f", licence {sequences[task.name]}" if task.name in sequences else ""
            table.add_row(f"task {task.name}", f"{task.state}, {task.classes} classes{licence}")
        others = sum(licence.place == "other-model" for licence in self.licences)
        if others:
            table.add_row("licences of another model", f"{others}: they open nothing here")
        if self.stack is not None:
            table.add_row("stack", f"{self.stack.used} of {self.stack.reserved} bytes used")
        return table


def read_status(target: Target) -> BoardStatus:
    """Ask a board for its state.

    Raises:
        RbnnError: there is no such board, or it does not answer.
    """
    if not target.is_on():
        return BoardStatus(board=target.board.name, on=False)
    with target.open() as session:
        return session_status(session)


def session_status(session: Session) -> BoardStatus:
    """The state of a board with which a conversation is open.

    Raises:
        LinkError: it does not answer, or its answers make no sense.
    """
    identity = session.identify()
    return BoardStatus(
        board=session.board_name,
        on=True,
        port=session.line.path,
        identity=identity,
        tasks=_tasks(session),
        licences=tuple(session.licences()) if identity.model_id else (),
        stack=session.stack(),
    )


def _tasks(session: Session) -> tuple[DeviceTask, ...]:
    try:
        return tuple(session.tasks())
    except DeviceError as error:
        if error.status is Status.NO_CONTAINER:
            return ()
        raise
