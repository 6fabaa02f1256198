"""GNU ld's map file: how many bytes each object put into each section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_START = "Linker script and memory map"
_OUTPUT = re.compile(r"^([./][\w./]*)")
_INPUT = re.compile(r"^ (\.[\w.$]+|COMMON)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)\s+(\S.*)$")
_NAME_ALONE = re.compile(r"^ (\.[\w.$]+|COMMON)$")


@dataclass(frozen=True)
class Piece:
    """One input section that the linker kept.

    Args:
        output: output section, for example ``.text``.
        section: input section, for example ``.text.rbnn_dense``.
        size: in bytes.
        object: path of the object file; ``archive(member)`` for a library.
    """

    output: str
    section: str
    size: int
    object: str


def pieces(text: str) -> Iterator[Piece]:
    """All input sections of a map file, in link order; discarded ones are left out.

    Args:
        text: the map file's content.
    """
    _, _, text = text.partition(_START)
    output = ""
    pending = ""
    for line in text.splitlines():
        if heading := _OUTPUT.match(line):
            output = heading[1]
        # A long name is on its own line, before its numbers.
        if name := _NAME_ALONE.match(line):
            pending = name[0]
            continue
        match = _INPUT.match(pending + line if pending else line)
        pending = ""
        if match and output != "/DISCARD/" and int(match[2], 16):
            yield Piece(output, match[1], int(match[2], 16), match[3])
