"""A library in PlatformIO, Zephyr and Arduino, each as that build takes one, on this machine: the
program that comes of it computes what the integer reference computes. (CMake:
test_two_libraries.py.)"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builds import COMPUTER, HERE, WARNINGS, configure, have, run
from life import Life, make_life

from rbnn.image.toolchain import prepare_core

ZEPHYR = f"""
cmake_minimum_required(VERSION 3.20)
project(application LANGUAGES C ASM)
include({HERE}/zephyr_functions.cmake)
add_subdirectory(${{LIBRARY}}/${{MODULE_CMAKE}} module)
add_executable(program ${{LIFE}} {HERE}/host_main.c {COMPUTER}/computer_host.c)
target_include_directories(program PRIVATE {COMPUTER})
target_link_libraries(program PRIVATE rbnn)
"""


@pytest.fixture(scope="module")
def life(random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Life:
    folder = tmp_path_factory.mktemp("systems") / "library"
    return make_life(random_export, folder, architecture="resnet", ends=8)


def test_platformio(life: Life, tmp_path: Path) -> None:
    life.write_program(tmp_path / "src")
    for source in (HERE / "host_main.c", COMPUTER / "computer_host.c", COMPUTER / "computer.h"):
        (tmp_path / "src" / source.name).write_text(source.read_text())
    (tmp_path / "platformio.ini").write_text(
        f"[env:here]\nplatform = symlink://{HERE / 'platform'}\n"
        f"lib_deps = rbnn=symlink://{life.folder}\nbuild_flags = -Wall -Wextra -Werror\n"
    )
    # A core of its own: in rbnn's, it would take the place of rbnn's platform during a build.
    core = shutil.copytree(prepare_core() / "packages", tmp_path / "core" / "packages").parent
    done = subprocess.run(
        [sys.executable, "-P", "-m", "platformio", "run", "--project-dir", str(tmp_path)],
        env={
            **os.environ,
            "PLATFORMIO_CORE_DIR": str(core),
            "PLATFORMIO_WORKSPACE_DIR": str(tmp_path / "pio"),
            "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
            "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "100000",
        },
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (program,) = tmp_path.glob("pio/build/here/program*")
    assert run([program]).splitlines() == life.wanted()


@pytest.mark.skipif(not have("cmake", "ninja"), reason="apt-get install cmake ninja-build")
def test_zephyr(life: Life, tmp_path: Path) -> None:
    program = life.write_program(tmp_path / "src")
    (tmp_path / "src" / "CMakeLists.txt").write_text(ZEPHYR)
    configure(
        tmp_path / "src", tmp_path / "build",
        "-D", f"LIBRARY={life.folder}", "-D", f"LIFE={program}",
    )  # fmt: skip
    run(["cmake", "--build", tmp_path / "build", "--parallel"])
    assert run([tmp_path / "build" / "program"]).splitlines() == life.wanted()


def test_arduino(life: Life, tmp_path: Path) -> None:
    """Every C and assembly file below ``src``, with ``src`` as include folder and Arduino's flags;
    all objects are linked, as there is no archive."""
    program = life.write_program(tmp_path / "sketch")
    sources = [path for path in life.folder.glob("src/**/*") if path.suffix in {".c", ".S"}]
    flags = ["-Os", "-std=gnu11", "-ffunction-sections", "-fdata-sections", *WARNINGS]
    run(
        ["gcc", *flags, f"-I{life.folder / 'src'}", f"-I{COMPUTER}", *sources, program,
         HERE / "host_main.c", COMPUTER / "computer_host.c", "-Wl,--gc-sections",
         "-o", tmp_path / "program"]
    )  # fmt: skip
    assert run([tmp_path / "program"]).splitlines() == life.wanted()


def test_arduino_s_description_is_whole(life: Life) -> None:
    text = (life.folder / "library.properties").read_text()
    members = dict(line.split("=", 1) for line in text.splitlines())
    assert set(members) >= {
        "name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url",
        "architectures",
    }  # fmt: skip
    assert re.fullmatch(r"\d+\.\d+\.\d+", members["version"])
    assert (life.folder / "src" / members["includes"]).is_file()
    assert members["category"] in {"Data Processing", "Device Control", "Other"}
