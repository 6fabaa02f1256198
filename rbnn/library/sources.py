"""The firmware's sources as a library has them: relative includes, and the library's prefix."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from rbnn.engine.compile import FIRMWARE, MONOCYPHER
from rbnn.library.errors import LibraryError
from rbnn.library.names import Names

SOUND_ROOM = "audio"
"""The folder that a model with a task of sounds needs as well."""
ROOMS = ("spec", "crypto", "store", "core", "puf", "reconf", "licence", "device", "partition")
"""The folders of ``firmware/`` that device/device.h needs, and what checks a signed model."""
_SUFFIXES = {".c", ".h", ".S", ".inc"}
_LEFT_OUT = {
    *("core/kernel_table.c", "core/trace.c", "core/trace.h"),
    *("partition/update.c", "partition/update.h", "partition/model_flash.h"),
    *("partition/update_start.c", "partition/update_places.c", "partition/update_places.h"),
}
"""The table of all operators (the model has its own), what only development builds use, and the
writing of a partition, which is the product's own."""
_NO_SOUND, _SOUND = "#define RBNN_AUDIO 0", "#define RBNN_AUDIO 1"
_INCLUDE = re.compile(r'((?:#\s*include|__has_include\()\s*")([^"]+)(")')
_ELSEWHERE = {
    "monocypher.h": "monocypher/monocypher.h",
    "model_features.h": "model/model_features.h",
    "model_config.h": "model/model_config.h",
}
_LICENCE = re.compile(r"\A(?:// .*\n|//\n)+")


def firmware_sources(names: Names, *, takes_sound: bool) -> dict[str, str]:
    """The library's text by path, below the folder of its sources.

    Args:
        names: of the library.
        takes_sound: whether a task of the model does.

    Raises:
        LibraryError: this package was installed without them.
    """
    found: dict[str, str] = {}
    for room in (*ROOMS, SOUND_ROOM) if takes_sound else ROOMS:
        for path in sorted((FIRMWARE / room).rglob("*")):
            place = path.relative_to(FIRMWARE).as_posix()
            if path.suffix in _SUFFIXES and place not in _LEFT_OUT:
                text = _read(path)
                if takes_sound and place == "spec/target.h":
                    assert _NO_SOUND in text
                    text = text.replace(_NO_SOUND, _SOUND)
                found.update([adapt(place, text, names)])
    return found


def monocypher_sources(names: Names) -> dict[str, str]:
    """Monocypher's two files and its licence, as :func:`firmware_sources` gives the firmware's.

    Raises:
        LibraryError: they are not laid out.
    """
    found: dict[str, str] = {}
    note = f"// Changed by rbnn: every name has the prefix {names.prefix}"
    smaller = "\n// Not unrolled, BLAKE2b takes 14 KB less of flash.\n#define BLAKE2_NO_UNROLLING"
    for name, addition in (("monocypher.h", ""), ("monocypher.c", smaller)):
        text = _read(MONOCYPHER / name)
        licence = _LICENCE.match(text)
        if licence is None:
            raise LibraryError(
                f"{MONOCYPHER / name} does not begin with its licence.",
                "Lay it out again: python -m rbnn.monocypher",
            )
        changed = f"{licence[0]}//\n{note}{addition}\n{text[licence.end() :]}"
        found[f"monocypher/{name}"] = names.apply(changed)
        lines = (line.removeprefix("//").removeprefix(" ") for line in licence[0].splitlines())
        found["monocypher/LICENCE.txt"] = "\n".join(lines) + "\n"
    return found


def adapt(place: str, text: str, names: Names) -> tuple[str, str]:
    """A file's place and text in the library.

    Args:
        place: in ``firmware/``; includes are turned into ones that are relative to it, so that no
            build needs an include path, and no other library's header of the same name is found.
        text: of the file there.
        names: of the library.
    """
    folder = PurePosixPath(place).parent

    def relative(match: re.Match[str]) -> str:
        target = _ELSEWHERE.get(match[2], match[2])
        return f"{match[1]}{os.path.relpath(target, folder)}{match[3]}"

    return names.apply(place), names.apply(_INCLUDE.sub(relative, text))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise LibraryError(
            f"Cannot read {path}: {error.strerror}.",
            "Install rbnn from a clone of its repository, and set it up: make setup",
        ) from error
