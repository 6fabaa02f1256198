"""Builds in folders with unusual names, and among variables that would change a build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rbnn.image import platformio, workplace
from rbnn.image.board import load_board
from rbnn.image.errors import BuildError

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = """
import sys
from pathlib import Path
from rbnn.image import platformio
from rbnn.image.board import load_board
print(platformio.build(load_board("qemu"), Path(sys.argv[1])).bin)
"""
needs_compiler = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
)


@needs_compiler
def test_a_clone_and_a_run_in_a_folder_of_any_name(
    tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    clone = tmp_path / """it's ü (1) & $HOME # [x] ,;"\\""" / "repo"
    for part in ("firmware", "boards", "rbnn"):
        ignored = shutil.ignore_patterns("__pycache__", ".pio")
        shutil.copytree(REPOSITORY / part, clone / part, ignore=ignored)
    model = random_export(clone / "runs" / "ours").export.folder
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(model)],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    built = Path(done.stdout.strip())
    assert built.is_relative_to(model)
    # The same bytes as from here.
    assert platformio.build(load_board("qemu"), model).bin.read_bytes() == built.read_bytes()


@needs_compiler
def test_no_variable_of_the_user_changes_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = platformio.build(load_board("qemu")).bin.read_bytes()
    (tmp_path / "stdint.h").write_text("#error not this one\n")
    (tmp_path / "click.py").write_text("raise SystemExit('not this one')\n")
    foreign = {
        "PLATFORMIO_BUILD_FLAGS": "-DRBNN_FOREIGN -O0",
        "PLATFORMIO_SRC_DIR": str(tmp_path),
        "SCONSFLAGS": "--no-such-option",
        "MAKEFLAGS": "-n",
        "CFLAGS": "-O0",
        "PYTHONPATH": str(tmp_path),
        **dict.fromkeys(("CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"), str(tmp_path)),
        **dict.fromkeys(("GCC_EXEC_PREFIX", "COMPILER_PATH"), f"{tmp_path}/"),
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    # Unchanged objects would hide what a variable does.
    shutil.rmtree(platformio.build_folder(load_board("qemu")))
    monkeypatch.setattr(platformio, "objects_folder", lambda: tmp_path / "objects")
    assert platformio.build(load_board("qemu")).bin.read_bytes() == usual


@needs_compiler
def test_debug_information_is_in_the_elf_file_only() -> None:
    from elftools.elf.elffile import ELFFile

    built = platformio.build(load_board("qemu"))
    with built.elf.open("rb") as stream:
        assert ELFFile(stream).has_dwarf_info()
    assert built.bin.stat().st_size < 64 * 1024


def test_a_folder_that_others_can_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workplace, "build_cache", lambda: tmp_path / "sp ace")
    monkeypatch.setattr(workplace.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / f"rbnn-{os.getuid()}").mkdir()
    (tmp_path / f"rbnn-{os.getuid()}").chmod(0o777)
    with pytest.raises(BuildError, match=r"others can write to it.*letters, digits"):
        workplace.workplace()
