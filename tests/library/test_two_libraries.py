"""CMake on this machine: two libraries in one program, one found where it was installed, the other
brought in by FetchContent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builds import COMPUTER, HERE, configure, have, run
from life import make_life

from rbnn.engine.compile import MONOCYPHER

PROGRAM = f"""
cmake_minimum_required(VERSION 3.16)
project(two LANGUAGES C ASM)
find_package(door CONFIG REQUIRED)
include(FetchContent)
FetchContent_Declare(window SOURCE_DIR ${{WINDOW}})
FetchContent_MakeAvailable(window)
add_executable(two {HERE}/two_main.c {COMPUTER}/computer_host.c ${{LIVES}}
  {MONOCYPHER}/monocypher.c)
target_include_directories(two PRIVATE {COMPUTER})
target_link_libraries(two PRIVATE door::door window::window)
"""


@pytest.mark.skipif(not have("cmake", "ninja"), reason="apt-get install cmake ninja-build")
def test_two_models_in_one_program(random_export: Callable[..., Any], tmp_path: Path) -> None:
    door = make_life(random_export, tmp_path / "door", "door", architecture="vgg")
    window = make_life(
        random_export, tmp_path / "window", "window_", architecture="resnet", ends=8, seed=4,
        tasks=(("night", 3, 1), ("day", 5, 3)),
    )  # fmt: skip
    place = tmp_path / "installed"
    configure(door.folder, tmp_path / "build-door", "-D", "DOOR_EXAMPLES=OFF")
    run(["cmake", "--build", tmp_path / "build-door", "--parallel"])
    run(["cmake", "--install", tmp_path / "build-door", "--prefix", place])
    lives = [life.write_program(tmp_path / "program") for life in (door, window)]
    (tmp_path / "program" / "CMakeLists.txt").write_text(PROGRAM)
    configure(
        tmp_path / "program", tmp_path / "build", "-D", f"CMAKE_PREFIX_PATH={place}",
        "-D", f"WINDOW={window.folder}", "-D", f"LIVES={';'.join(map(str, lives))}",
    )  # fmt: skip
    run(["cmake", "--build", tmp_path / "build", "--parallel"])
    printed = run([tmp_path / "build" / "two"]).splitlines()
    assert printed == ["door", *door.wanted(), "window", *window.wanted()]
    # What was installed is complete, licences included.
    names = {path.name for path in place.rglob("*") if path.is_file()}
    assert {"door.h", "libdoor.a", "door-config.cmake", "LICENSE", "LICENCE.txt"} <= names
