"""Writing a real board's flash, against a stand-in for the openocd program."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from rbnn.flash import openocd
from rbnn.flash.errors import FlashError
from rbnn.flash.openocd import lock, lock_command, program, program_command
from rbnn.image.board import board_names, load_board

PROBE = "066DFF525750877267"
SCRIPT = "board/st_nucleo_f4.cfg"


def _stand_in(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "openocd"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_command_names_script_file_and_address(tmp_path: Path) -> None:
    file = tmp_path / "with space.bin"
    assert program_command(SCRIPT, file, 0x08060000, PROBE) == [
        "openocd",
        "-f",
        SCRIPT,
        "-c",
        f"gdb_port disabled; telnet_port disabled; tcl_port disabled; adapter serial {PROBE}",
        "-c",
        f"program {{{file}}} 0x08060000 verify reset exit",
    ]


def test_paths_that_tcl_would_change_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="cannot read the path"):
        program_command(SCRIPT, tmp_path / "a}b", 0, PROBE)


def test_the_command_is_run_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    _stand_in(tmp_path, f'printf "%s\\n" "$0" "$@" > {shlex.quote(str(seen))}', monkeypatch)
    program(SCRIPT, tmp_path / "image.bin", 0x08000000, PROBE)
    assert (
        seen.read_text().splitlines()[1:]
        == program_command(SCRIPT, tmp_path / "image.bin", 0x08000000, PROBE)[1:]
    )


def test_a_failure_quotes_openocd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'echo "Info : clock speed" >&2; echo "Error: open failed" >&2; exit 1'
    _stand_in(tmp_path, text, monkeypatch)
    with pytest.raises(FlashError, match=r"could not write the board: open failed\.$|open failed"):
        program(SCRIPT, tmp_path / "image.bin", 0, PROBE)


def test_a_missing_openocd_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlashError) as caught:
        program(SCRIPT, tmp_path / "image.bin", 0, PROBE)
    assert "apt-get install openocd" in caught.value.fix


def test_locking_runs_the_command_of_the_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    _stand_in(tmp_path, f'printf "%s\\n" "$@" > {shlex.quote(str(seen))}', monkeypatch)
    lock(SCRIPT, "stm32f2x lock 0", PROBE)
    said = seen.read_text().splitlines()
    assert said == lock_command(SCRIPT, "stm32f2x lock 0", PROBE)[1:]
    assert said[-1] == "init; reset halt; stm32f2x lock 0; shutdown"


def test_a_failed_lock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(tmp_path, 'echo "Error: device protected" >&2; exit 1', monkeypatch)
    with pytest.raises(FlashError, match="could not lock the board: device protected"):
        lock(SCRIPT, "stm32f2x lock 0", PROBE)


@pytest.mark.skipif(shutil.which("openocd") is None, reason="apt-get install openocd")
def test_openocd_knows_the_lock_of_every_manifest() -> None:
    boards = [load_board(name) for name in board_names()]
    locks = [board for board in boards if board.openocd_lock]
    assert {board.name for board in locks} == {
        board.name for board in boards if not board.is_emulated_only
    }
    for board in locks:
        assert board.openocd_lock and board.openocd_script
        driver = board.openocd_lock.split()[0]
        steps = ("flash init", f"usage {driver}", "shutdown")
        command = ["openocd", "-f", board.openocd_script]
        command += [word for step in steps for word in ("-c", step)]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        assert " ".join(board.openocd_lock.split()[:2]) in said.stdout + said.stderr


DUMMY = """
adapter driver dummy
adapter speed 100
transport select jtag
jtag newtap dummy cpu -irlen 4 -expected-id 0
target create dummy.cpu testee -chain-position dummy.cpu
flash bank dummy.flash faux 0x08000000 0x10000 0 0 dummy.cpu
reset_config none
"""
"""OpenOCD's adapter without a probe, and flash without a chip: it is programmed, but not read."""


@pytest.fixture
def dummy(tmp_path: Path) -> tuple[str, Path]:
    """A script, and a file to write."""
    (tmp_path / "dummy.cfg").write_text(DUMMY)
    (tmp_path / "an image.bin").write_bytes(bytes(range(256)) * 16)
    return str(tmp_path / "dummy.cfg"), tmp_path / "an image.bin"


needs_openocd = pytest.mark.skipif(
    shutil.which("openocd") is None, reason="apt-get install openocd"
)


@needs_openocd
def test_each_step_is_told_and_what_cannot_be_verified_is_refused(
    dummy: tuple[str, Path],
) -> None:
    steps: list[str] = []
    with pytest.raises(FlashError, match="the board does not hold what was written"):
        program(*dummy, 0x0800_0000, PROBE, steps.append)
    assert [step.strip() for step in steps] == [
        "Programming Started",
        "Programming Finished",
        "Verify Started",
        "Verify Failed",
    ]


@needs_openocd
def test_two_boards_are_written_at_once(dummy: tuple[str, Path]) -> None:
    """Each OpenOCD waits until the other one is programming, too."""
    script, file = dummy
    together = threading.Barrier(2, timeout=60)
    refused: list[str] = []

    def tell(step: str) -> None:
        if "Programming Started" in step:
            together.wait()

    def write(probe: str) -> None:
        try:
            program(script, file, 0x0800_0000, probe, tell)
        except FlashError as error:
            refused.append(error.what)

    both = [threading.Thread(target=write, args=(probe,)) for probe in (PROBE, "0123ABCD")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(refused) == 2 and all("does not hold" in what for what in refused)


def test_an_openocd_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(tmp_path, "exec sleep 60", monkeypatch)
    monkeypatch.setattr(openocd, "TIMEOUT_S", 0.2)
    with pytest.raises(FlashError, match="did not finish"):
        program(SCRIPT, tmp_path / "image.bin", 0, PROBE)
