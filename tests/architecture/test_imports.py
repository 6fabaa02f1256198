"""Rooms import only rooms before them (ARCHITECTURE.md, "The way of the data")."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rbnn

PACKAGE = Path(rbnn.__file__).parent
ORDER = (
    "pages",
    "spec",
    "tasks",
    "nets",
    "operators",
    "runs",
    "train",
    "container",
    "engine",
    "cost",
    "export",
    "library",
    "keys",
    "image",
    "flash",
    "device",
    "bench",
    "compare",
    "theft",
    "peers",
    "audit",
    "demo",
    "report",
    "console",
    "api",
    "cli",
)
BELOW_ALL = {
    *("arguments", "compiler", "errors", "extras", "files", "frozen"),
    *("monocypher", "numbers", "places", "programs"),
}
BESIDE = {frozenset({"export", "keys"}), frozenset({"library", "keys"})}


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in modules if name.startswith("rbnn.")}
    return rooms - {"__version__"}


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_room_is_known() -> None:
    rooms = {room_of(path) for path in FILES} - BELOW_ALL - {"__init__"}
    assert rooms <= set(ORDER)
    assert not rooms & {"utils", "common", "helpers"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":  # `import rbnn` names what rooms offer, and imports it when it is used
        return
    for other in imported_rooms(path) - {room} - BELOW_ALL:
        assert room in ORDER, f"{path}: {room} is below all rooms and imports {other}"
        assert ORDER.index(other) < ORDER.index(room), f"{path}: {room} imports {other}"
        assert frozenset({room, other}) not in BESIDE, (
            f"{path}: {room} and {other} are side by side"
        )


def test_c_rooms_keep_registers_in_port() -> None:
    firmware = PACKAGE.parent / "firmware"
    for path in sorted(firmware.rglob("*.[ch]")):
        parts = path.relative_to(firmware).parts
        if parts[0] in {"port", "third_party", ".pio", "host"}:
            continue
        if path.name == "wipe.c":  # its writes to memory must not be left out
            continue
        text = path.read_text()
        assert "volatile uint32_t *" not in text, f"{path}: register access outside firmware/port"
        assert not re.search(r"\b(malloc|calloc|realloc|free)\s*\(", text), f"{path}: heap"
