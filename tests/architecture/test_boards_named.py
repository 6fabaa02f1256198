"""What is a board's is in its folder: no code names a board or its chip."""

from __future__ import annotations

import re
from pathlib import Path

import rbnn
from rbnn.image.board import board_names

REPOSITORY = Path(rbnn.__file__).parents[1]
SUFFIXES = {".py", ".c", ".h", ".S", ".ini", ".ld", ".j2", ".json"}
DEFAULTS = REPOSITORY / "rbnn" / "image" / "defaults.py"


def code() -> list[Path]:
    found = [path for room in ("rbnn", "firmware") for path in (REPOSITORY / room).rglob("*")]
    return [
        path
        for path in found
        if path.suffix in SUFFIXES and "third_party" not in path.parts and path != DEFAULTS
    ]


def test_code_names_no_board() -> None:
    """As a word in quotes, or where only a real board's name can be meant."""
    names = "|".join(sorted(map(re.escape, board_names()), key=len, reverse=True))
    named = re.compile(rf"[\"'](?:{names})[\"']|--board (?:{names})\b|env:(?:{names})\b")
    allowed = {
        ("firmware/port/port.h", '"qemu"'),
        ("rbnn/device/emulated/emulator.py", '"qemu"'),
        ("rbnn/programs.py", '"qemu"'),  # Homebrew's package
    }
    found = {
        (path.relative_to(REPOSITORY).as_posix(), word)
        for path in code()
        for word in named.findall(path.read_text(errors="replace"))
    }
    assert found <= allowed, "move it into the board's manifest"


def test_chips_are_named_in_their_port_only() -> None:
    chip = re.compile(r"\b(?:stm32|nrf52|rp2040)\w*", re.I)
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for path in code()
        if chip.search(path.read_text(errors="replace"))
        and (REPOSITORY / "firmware" / "port") not in path.parents
    }
    # Examples in descriptions.
    assert found <= {"rbnn/spec/link.py", "rbnn/flash/openocd.py", "firmware/spec/rbnn_spec.h"}
