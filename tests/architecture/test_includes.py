"""C includes point one way: a folder of ``firmware/`` includes itself and folders before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rbnn
from rbnn.spec.operators import in_order

FIRMWARE = Path(rbnn.__file__).parents[1] / "firmware"
KERNELS = tuple(f"core/{op.kernel.removeprefix('rbnn_')}" for op in in_order())
ORDER = (
    "spec",
    "crypto",
    "store",
    "core",
    "core/stage",
    *KERNELS,
    "puf",
    "reconf",
    "licence",
    "device",
    "partition",
    "audio",
    "port",
    "port/armv7m",
    "port/mps2",
    "port/stm32f4",
    "port/stm32l4",
    "port/stm32h7",
    "port/nrf52",
    "port/host",
    "link",
    "app",
    "vectors",
    "bench",
    "host",
)
"""Lower ones first."""
BESIDE = (
    set(KERNELS),
    {"port/mps2", "port/stm32f4", "port/stm32l4", "port/stm32h7", "port/nrf52", "port/host"},
    {"port/armv7m", "port/host"},
    {"app", "vectors", "bench", "host"},
)
"""Sets whose folders do not include each other."""
USERS_OF_PORT = {"link", "app", "vectors", "bench"}
"""The folders outside ``port/`` that may include it."""
GENERATED = {"model_config.h", "model_key.h", "model_memory.h", "model_features.h"}
LIBRARIES = {"monocypher.h"}
LONGEST = 320
"""Lines of a file that nobody generates."""
SUFFIXES = {".c", ".h", ".S", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
FILES = sorted(
    path
    for path in FIRMWARE.rglob("*")
    if path.suffix in SUFFIXES
    and path.relative_to(FIRMWARE).parts[0] not in {"third_party", "model", ".pio"}
)


def folder_of(path: Path) -> str:
    return path.relative_to(FIRMWARE).parent.as_posix()


def included(path: Path) -> Iterator[str]:
    """Quoted includes, except generated files and other people's."""
    for name in INCLUDE.findall(path.read_text()):
        if name not in GENERATED | LIBRARIES:
            yield name


def may_include(folder: str, other: str) -> bool:
    if folder == other:
        return True
    if other.startswith("port") and not folder.startswith("port") and folder not in USERS_OF_PORT:
        return False
    beside = any({folder, other} <= group for group in BESIDE)
    return ORDER.index(other) < ORDER.index(folder) and not beside


def test_every_folder_is_in_the_order() -> None:
    assert {folder_of(path) for path in FILES} == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FIRMWARE).as_posix())
def test_includes_point_one_way(path: Path) -> None:
    for name in included(path):
        assert (FIRMWARE / name).is_file(), f"{path}: {name} is not a file in firmware/"
        other = folder_of(FIRMWARE / name)
        assert may_include(folder_of(path), other), f"{path}: {name} is above it or next to it"


def test_files_stay_short() -> None:
    for path in FILES:
        lines = len(path.read_text().splitlines())
        assert lines <= LONGEST or path.name == "rbnn_spec.h", f"{path}: {lines} lines"


def test_header_names_are_unique() -> None:
    names = [path.name for path in FILES if path.suffix in {".h", ".inc"}]
    assert len(names) == len(set(names))


def test_only_one_header_asks_what_the_core_can_do() -> None:
    asked = re.compile(r"\b__(ARM|AVX|arm|aarch64|thumb)\w*")
    for path in FILES:
        if folder_of(path) != "spec":
            assert not asked.search(path.read_text()), f"{path}: ask spec/target.h"


def test_only_one_function_wipes() -> None:
    for path in FILES:
        assert "crypto_wipe" not in path.read_text(), f"{path}: crypto/wipe.h"
