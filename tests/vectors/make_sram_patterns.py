"""Make ``sram_patterns.json``: ``python tests/vectors/make_sram_patterns.py``. Seed 2027.

Made-up SRAM: sound cells, cells with the faults of real chips (classes that prefer opposite values,
so that half of all cells are ones), and memory that something wrote to. Each with the status that
enrolment gives it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.spec.puf import PATTERN_BYTES, REGION_BYTES
from rbnn.spec.status import Status

SEED = 2027
FILE = Path(__file__).with_name("sram_patterns.json")
BITS = 8 * PATTERN_BYTES
NOISE = 0.02
Cells = npt.NDArray[np.bool_]


def repeat(block: bytes) -> bytes:
    """A block over and over."""
    return (block * (PATTERN_BYTES // len(block) + 1))[:PATTERN_BYTES]


def pack(cells: Cells) -> bytes:
    """Bits to bytes, lowest first."""
    return np.packbits(cells, bitorder="little").tobytes()


def noisy(pattern: bytes, rng: np.random.Generator) -> bytes:
    """Some bits flipped, so that no repetition is exact."""
    flips = pack(rng.random(BITS) < NOISE)
    return bytes(np.frombuffer(pattern, np.uint8) ^ np.frombuffer(flips, np.uint8))


def words(rng: np.random.Generator, even: float) -> bytes:
    """Even words with this share of ones, odd words with the opposite."""
    odd = np.arange(BITS) // 32 % 2 == 1
    return pack(rng.random(BITS) < np.where(odd, 1.0 - even, even))


def leaning(rng: np.random.Generator) -> bytes:
    """64 bytes that prefer 1, 64 bytes that prefer 0: every class is balanced, no pair is."""
    second = np.arange(BITS) // 512 % 2 == 1
    return pack(rng.random(BITS) < np.where(second, 0.42, 0.58))


def patterns(rng: np.random.Generator) -> Iterator[tuple[str, bytes, Status]]:
    """Name, bytes and what enrolment says."""
    yield "sound", rng.bytes(PATTERN_BYTES), Status.OK
    yield "even words 43 %", words(rng, 0.43), Status.OK
    yield "even words 37 %", words(rng, 0.37), Status.OK
    yield "all cells 60 %", pack(rng.random(BITS) < 0.6), Status.OK
    yield "even words 17 %", words(rng, 0.17), Status.PUF_BIAS
    yield "even words 72 %", words(rng, 0.72), Status.PUF_BIAS
    yield "all cells 70 %", pack(rng.random(BITS) < 0.7), Status.PUF_BIAS
    stuck = rng.random(BITS) < np.where(np.arange(BITS) % 64 == 37, 0.95, 0.5)
    yield "bit 5 of odd words", pack(stuck), Status.PUF_BIAS
    region = rng.random(BITS) < np.where(np.arange(BITS) // (8 * REGION_BYTES) == 4, 0.85, 0.5)
    yield "a region of ones", pack(region), Status.PUF_BIAS
    yield "pairs that lean", leaning(rng), Status.PUF_ENTROPY
    for period in (1, 3, 4, 7, 8, 12, 33, 48, 63, 64):
        yield f"period {period}", noisy(repeat(rng.bytes(period)), rng), Status.PUF_PATTERN
    whole = np.tile(rng.random(123) < 0.5, BITS // 123 + 1)[:BITS]
    yield "period of 123 bits", noisy(pack(whole), rng), Status.PUF_PATTERN
    yield "block of 200 bytes", noisy(repeat(rng.bytes(200)), rng), Status.PUF_PATTERN
    half = rng.bytes(PATTERN_BYTES // 2)
    yield "the second half again", half + half, Status.PUF_PATTERN
    sound = rng.bytes(PATTERN_BYTES - REGION_BYTES)
    yield (
        "one region painted",
        repeat(b"\x5a\xa5\x3c\x96")[:REGION_BYTES] + sound,
        (Status.PUF_PATTERN),
    )
    yield "zeros", bytes(PATTERN_BYTES), Status.PUF_PATTERN
    yield (
        "half 00, half FF",
        bytes(PATTERN_BYTES // 2) + b"\xff" * (PATTERN_BYTES // 2),
        (Status.PUF_PATTERN),
    )
    yield "words 00000000, FFFFFFFF", repeat(bytes(4) + b"\xff" * 4), Status.PUF_PATTERN
    yield "55 and AA", repeat(b"\x55" * 32 + b"\xaa" * 32), Status.PUF_PATTERN
    yield "counter of bytes", repeat(bytes(range(256))), Status.PUF_PATTERN
    for kind in ("<u2", "<u4"):
        counter = np.arange(PATTERN_BYTES // np.dtype(kind).itemsize, dtype=kind).tobytes()
        yield f"counter {kind}", counter, Status.PUF_PATTERN


def document() -> str:
    """The file's text."""
    rng = np.random.default_rng(SEED)
    values = [
        {"name": name, "status": status.name, "pattern": base64.b64encode(data).decode()}
        for name, data, status in patterns(rng)
    ]
    return json.dumps({"seed": SEED, "patterns": values}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
