"""Texts of the serial line, packed for the flash: a byte above 127 stands for two bytes.

Byte pair encoding (Gage, "A New Algorithm for Data Compression", C Users Journal 12(2), 1994): the
most frequent pair of neighbours becomes one new byte, again and again. ``firmware/link/print.c``
unpacks.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FIRST = 128
_PAIRS = 256 - FIRST
_WORTH = 3
"""A pair costs two bytes of the table, and saves one wherever it is."""


@dataclass(frozen=True)
class PackedTexts:
    """Packed texts by their plain form, and what each byte from :data:`FIRST` on stands for."""

    packed: dict[str, bytes]
    pairs: tuple[tuple[int, int], ...]


def pack(texts: Sequence[str]) -> PackedTexts:
    """Pack texts of ASCII characters; the same texts always give the same bytes.

    Args:
        texts: what the firmware prints.
    """
    plain = list(dict.fromkeys(texts))
    rows = [list(text.encode("ascii")) for text in plain]
    pairs: list[tuple[int, int]] = []
    while len(pairs) < _PAIRS:
        found = Counter(pair for row in rows for pair in itertools.pairwise(row))
        pair, count = max(found.items(), key=lambda item: (item[1], item[0]), default=((0, 0), 0))
        if count < _WORTH:
            break
        rows = [_replace(row, pair, FIRST + len(pairs)) for row in rows]
        pairs.append(pair)
    packed = {text: bytes(row) for text, row in zip(plain, rows, strict=True)}
    return PackedTexts(packed, tuple(pairs))


def unpack(packed: bytes, pairs: Sequence[tuple[int, int]]) -> str:
    """The text again, as the firmware prints it."""
    waiting, text = list(reversed(packed)), bytearray()
    while waiting:
        byte = waiting.pop()
        if byte < FIRST:
            text.append(byte)
        else:
            first, second = pairs[byte - FIRST]
            waiting += [second, first]
    return text.decode("ascii")


def c_string(packed: bytes) -> str:
    """A literal in C; octal escapes end after three digits, whatever follows."""
    text = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:03o}"
        for byte in packed
    )
    return f'"{text}"'


def _replace(row: list[int], pair: tuple[int, int], byte: int) -> list[int]:
    out: list[int] = []
    at = 0
    while at < len(row):
        if tuple(row[at : at + 2]) == pair:
            out.append(byte)
            at += 2
        else:
            out.append(row[at])
            at += 1
    return out
