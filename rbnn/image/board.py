"""Board manifests: PlatformIO's JSON with an ``rbnn`` section.

``boards/<name>/board.json`` is read by PlatformIO and by this module; the linker script is beside
it. Addresses are given in both; a test checks that they are equal. Boards of one's own are in
another folder of the same form, which ``--boards`` or ``RBNN_BOARDS`` names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from rbnn.frozen import Frozen, first_problem
from rbnn.image.defaults import BOARDS_VARIABLE, DEFAULT_BOARD
from rbnn.image.errors import BoardError
from rbnn.places import boards_folder
from rbnn.spec.puf import PATTERN_BYTES

CountUnit = Literal["instructions", "cycles"]
MANIFEST = "board.json"


class Region(Frozen):
    """A piece of the address space."""

    address: int = Field(ge=0)
    bytes: int = Field(gt=0)

    @property
    def end(self) -> int:
        """First address after it."""
        return self.address + self.bytes


class ModelPartition(Region):
    """Flash of its own for the model, in whole sectors.

    Args:
        sector_bytes: what is erased at a time.
    """

    sector_bytes: int = Field(gt=0, multiple_of=32)

    @model_validator(mode="after")
    def _has_whole_sectors(self) -> ModelPartition:
        if self.bytes % self.sector_bytes:
            raise ValueError("bytes are no whole number of sectors")
        return self

    def takes_two(self, bytes_: int) -> bool:
        """Whether there is room for two models of so many bytes, their headers included."""
        return 2 * (-(-bytes_ // self.sector_bytes)) * self.sector_bytes <= self.bytes


class UsbSerial(Frozen):
    """USB ids of the board's serial port."""

    vendor_id: int
    product_ids: tuple[int, ...]


class Emulation(Frozen):
    """How QEMU emulates the board.

    Args:
        machine: value of ``-machine``.
        serial_index: which of the machine's serial lines the firmware uses.
        icount_shift: an instruction takes 2^shift ns of the emulated clock.
        tick_hz: rate of the firmware's time stamp counter under emulation.
        file_ram_bytes: size of the machine's RAM that a file can be behind; the store is at its
            start. 0 if there is none: the emulated board keeps no counts.
    """

    machine: str
    serial_index: int = Field(ge=0)
    icount_shift: int = Field(ge=0, le=10)
    tick_hz: int = Field(gt=0)
    file_ram_bytes: int = Field(default=0, ge=0)


class _Rbnn(Frozen):
    port: str
    boot: Region | None = None
    flash: Region
    provisioning: Region
    store: Region
    ram: Region
    noinit: Region
    model: ModelPartition | None = None
    stack_bytes: int = Field(gt=0, multiple_of=8)
    work_bytes: int | None = Field(default=None, gt=0)
    resident_bytes: int | None = Field(default=None, ge=0)
    serial: UsbSerial | None = None
    openocd_script: str | None = None
    openocd_lock: str | None = None
    emulator: Emulation | None = None


class Board(Frozen):
    """One board.

    ``noinit`` is the RAM that start-up never writes: the fingerprint's ``PATTERN_BYTES`` bytes
    come first, the warm-reset marker follows. ``store`` is two pages of flash for what a device
    must not forget; ``boot`` is where the vectors are, if that is apart from ``flash``.
    ``model`` is where the model is that has a partition of its own; other builds use that flash
    for the image. ``work_bytes`` and ``resident_bytes`` limit the kernels' working memory and the
    weights that stay in RAM; None means no limit. ``openocd_lock`` is OpenOCD's command that turns
    the chip's read-out protection on.
    """

    name: str
    title: str
    cpu: str
    clock_hz: int
    manifest: Path
    port: str
    boot: Region | None
    flash: Region
    provisioning: Region
    store: Region
    ram: Region
    noinit: Region
    model: ModelPartition | None
    stack_bytes: int
    work_bytes: int | None
    resident_bytes: int | None
    serial: UsbSerial | None
    openocd_script: str | None
    openocd_lock: str | None
    emulator: Emulation | None

    @property
    def folder(self) -> Path:
        """With manifest and linker script, and the port of a chip family of its own."""
        return self.manifest.parent

    @property
    def id(self) -> str:
        """Its name in manifests and on the serial line; ``name`` may be that of another build."""
        return self.folder.name

    @property
    def puf(self) -> Region:
        """The fingerprint's place in RAM."""
        return Region(address=self.noinit.address, bytes=PATTERN_BYTES)

    @property
    def image(self) -> Region:
        """From the vectors to the end of the flash, what lies between included."""
        start = self.flash.address if self.boot is None else self.boot.address
        return Region(address=start, bytes=self.flash.end - start)

    def program_bytes(self, partition: bool) -> int:
        """Flash that an image may take; less if the model has a partition of its own."""
        if partition and self.model and self.flash.address < self.model.address < self.flash.end:
            return self.model.address - self.flash.address
        return self.flash.bytes

    @property
    def unit(self) -> CountUnit:
        """What the board's counter counts."""
        return "instructions" if self.is_emulated_only else "cycles"

    @property
    def is_emulated_only(self) -> bool:
        """Whether the board exists only in QEMU."""
        return self.openocd_script is None and self.emulator is not None


class _Build(BaseModel):
    cpu: str
    f_cpu: str


class _Manifest(BaseModel):
    name: str
    build: _Build
    rbnn: _Rbnn


def own_boards() -> Path | None:
    """The folder of the user's own boards; None if there is none.

    Raises:
        BoardError: it does not exist.
    """
    named = os.environ.get(BOARDS_VARIABLE)
    if not named:
        return None
    folder = Path(named).absolute()
    if not folder.is_dir():
        raise BoardError(
            f"There is no folder {folder} of boards.",
            f"Name one that holds NAME/{MANIFEST}: --boards DIR, or {BOARDS_VARIABLE}.",
        )
    return folder


def _manifests() -> dict[str, list[Path]]:
    """The manifests with each name: one, or one of rbnn's and one of the user's."""
    found: dict[str, list[Path]] = {}
    for folder in filter(None, (boards_folder(), own_boards())):
        for path in sorted(folder.glob(f"*/{MANIFEST}")):
            found.setdefault(path.parent.name, []).append(path)
    return found


def board_names() -> list[str]:
    """All boards, in alphabetical order; the user's own, too."""
    return sorted(_manifests())


def load_board(name: str) -> Board:
    """Read one board's manifest.

    Args:
        name: of its folder.

    Raises:
        BoardError: no such board, two of them, or a manifest that cannot be used.
    """
    manifests = _manifests()
    if name not in manifests:
        known = ", ".join(sorted(manifests))
        raise BoardError(
            f"Unknown board {name!r}.",
            f"Choose one of: {known}; or name the folder that holds {name or 'it'}: --boards DIR",
        )
    path, *others = manifests[name]
    if others:
        raise BoardError(
            f"Two boards have the name {name!r}: {path.parent} and {others[0].parent}.",
            "Give the folder of yours another name.",
        )
    try:
        manifest = _Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BoardError(
            f"Board manifest {path} cannot be used: {_first(error)}.",
            f"Compare it with {boards_folder() / DEFAULT_BOARD / MANIFEST}.",
        ) from error
    section: dict[str, Any] = dict(manifest.rbnn)
    build = manifest.build
    return Board(
        name=name,
        title=manifest.name,
        cpu=build.cpu,
        clock_hz=int(build.f_cpu.removesuffix("L")),
        manifest=path,
        **section,
    )


def _first(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return first_problem(error)
