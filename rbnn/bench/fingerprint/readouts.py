"""Read-outs of real SRAM: the file, and the windows that are enrolled."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from rbnn.errors import RbnnError
from rbnn.spec import puf


def read_boards(file: Path) -> dict[str, list[bytes]]:
    """Read-outs by board: an npz of uint8 arrays named ``<board>_<reading>``.

    Raises:
        RbnnError: it cannot be read.
    """
    boards: dict[str, list[bytes]] = {}
    fix = "Name an npz of uint8 arrays BOARD_READING, all of one size: --readouts PATH"
    try:
        with np.load(file) as arrays:
            for name in sorted(arrays.files):
                boards.setdefault(name.split("_")[0], []).append(arrays[name].tobytes())
    except (OSError, ValueError, BadZipFile) as error:
        raise RbnnError(f"Cannot read {file}: {error}.", fix) from error
    sizes = {len(reading) for readings in boards.values() for reading in readings}
    if len(sizes) != 1 or min(sizes) < puf.PATTERN_BYTES:
        raise RbnnError(
            f"The read-outs in {file} have {sorted(sizes)} bytes, not one size of "
            f"{puf.PATTERN_BYTES:,} or more.",
            fix,
        )
    return boards


def windows(reading: bytes) -> range:
    """Where the windows of a read-out start."""
    return range(0, len(reading) - puf.PATTERN_BYTES + 1, puf.PATTERN_BYTES)
