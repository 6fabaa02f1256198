"""docs/porting.md, followed: its board, outside the tree, is built and boots in QEMU."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import rbnn
from rbnn.device.emulated.emulator import Emulator
from rbnn.device.session import Session
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.defaults import BOARDS_VARIABLE

PAGE = Path(rbnn.__file__).parents[1] / "docs" / "porting.md"
FILE = re.compile(r"<!-- file (\S+) -->\n```\w*\n(.*?)```\n", re.S)
MOST_LINES = 200


def files() -> dict[str, str]:
    """The files that the page shows."""
    return dict(FILE.findall(PAGE.read_text()))


def test_the_page_s_board_takes_less_than_200_lines() -> None:
    shown = files()
    assert set(shown) == {"acme/board.json", "acme/memory.ld", "acme/acme1/acme1.c"}
    lines = sum(len(text.splitlines()) for text in shown.values())
    assert lines < MOST_LINES
    assert f"{lines} lines" in PAGE.read_text(), "what the page says"


@pytest.mark.qemu
@pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
def test_the_page_s_board_boots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in files().items():
        path = tmp_path / "boards of mine" / name  # a folder that PlatformIO cannot handle itself
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv(BOARDS_VARIABLE, str(tmp_path / "boards of mine"))
    board = load_board("acme")
    built = platformio.build(board)
    device = EmulatedBoard.create(tmp_path / "device", "acme", seed=5)
    device.write_flash(built.bin.read_bytes(), board.flash.bytes)
    emulator = Emulator(tmp_path / "device", board)
    emulator.power_on()
    try:
        with Session(emulator.serial_path()) as session:
            assert session.board_name == "acme" and session.identify().puf == "fresh"
            assert set(session.self_test().values()) <= {"ok", "absent"}, "absent: no model"
            assert session.enroll()
            session.reset()
            assert session.identify().puf == "power-cycle"
    finally:
        emulator.power_off()
