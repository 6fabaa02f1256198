"""The PlatformIO project of one build: firmware/platformio.ini, and the board at hand.

PlatformIO knows a board by the file ``NAME.json`` of a folder, and builds environments that its
project file lists. Boards have a folder each, which may be anywhere; so both are written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rbnn.files import write_atomic
from rbnn.image.board import Board
from rbnn.image.workplace import workplace

BOARD_FOLDER = "RBNN_BOARD_DIR"
"""Environment variable that names the board's folder: its linker script, and perhaps its port."""


@dataclass(frozen=True)
class Project:
    """What PlatformIO is told.

    Args:
        configuration: the project file.
        environment: the name of the build in it.
        manifests: the folder with the board's manifest.
        board: the board's own folder, under a plain name.
    """

    configuration: Path
    environment: str
    manifests: Path
    board: Path

    def variables(self) -> dict[str, str]:
        """For PlatformIO's process."""
        return {"PLATFORMIO_BOARDS_DIR": str(self.manifests), BOARD_FOLDER: str(self.board)}


def prepare(board: Board) -> Project:
    """Write the project of a board's build; what is already there stays, with its time stamp.

    Args:
        board: its manifest; its name may end in the kind of build, such as ``-bench``, which is
            then a section of firmware/platformio.ini.

    Raises:
        RbnnError: the cache cannot be written.
    """
    place = workplace()
    kind = board.name.removeprefix(board.id).removeprefix("-")
    folder = place.cache / "projects" / board.name
    lines = [f"[env:{board.name}]", *([f"extends = {kind}"] if kind else []), f"board = {board.id}"]
    text = (place.project / "platformio.ini").read_text() + "\n" + "\n".join(lines) + "\n"
    configuration = folder / "platformio.ini"
    _write(configuration, text)
    _write(folder / "boards" / f"{board.id}.json", board.manifest.read_text())
    own = place.named_plainly(board.folder)
    return Project(configuration, board.name, folder / "boards", own)


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text() != text:
        write_atomic(path, text)
