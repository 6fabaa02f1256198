"""What a build of the firmware produced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rbnn.image.board import Board
from rbnn.image.memory import MemoryPlan


@dataclass(frozen=True)
class BuildResult:
    """What a build produced.

    Args:
        board: the board.
        elf: image with symbols.
        bin: the same image as stored in flash.
        map: the linker's map file.
        log: everything that PlatformIO printed.
        memory: how the board's RAM is divided; None without a model.
        development: whether it has the commands of a development build.
        partition: the key that the firmware checks models with, if the model has a partition of its
            own; None if it is in the image.
    """

    board: Board
    elf: Path
    bin: Path
    map: Path
    log: Path
    memory: MemoryPlan | None = None
    development: bool = False
    partition: bytes | None = None
