"""Whatever the host reads, it reads or says what is wrong with it: no traceback."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest
from host_readers import ANSWERS, Reader, readers
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from licensed_world import World
from trust_rows import Trust, trust_row

from rbnn.errors import RbnnError

CHUNK = 10_000
"""Examples of one run of Hypothesis, which remembers all of them."""
NAMES = (
    "container", "licence", "provisioning", "helper record", "sealed block", "user key",
    "provider key", "provider's public key", "registry's key", "WAV", "PNG and JPEG",
    *(f"answer to {method}" for method in ANSWERS),
)  # fmt: skip
SLOW = {"helper record": 40}
"""Readers that get this many times fewer inputs."""
WORDS = [0, 1, 2, 16, 31, 127, 128, 255, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


@pytest.fixture(scope="module")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Reader]:
    folder = tmp_path_factory.mktemp("read")
    return readers(World(Path("no driver"), folder), folder)


@st.composite
def mutated(draw: st.DrawFn, reader: Reader) -> bytes:
    """An example with bytes changed, words replaced, parts cut out, repeated or inserted."""
    data = bytearray(draw(st.sampled_from(reader.seeds)))
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 5))):
        # The beginning of a file says most about it.
        most = len(data) if draw(st.booleans()) else min(len(data), 64)
        at = draw(st.integers(0, most))
        kind = draw(st.integers(0, 5))
        if kind <= 1 and at < len(data):
            data[at] = draw(st.integers(0, 255))
        elif kind == 2:
            word = draw(st.sampled_from(WORDS)).to_bytes(4, "little")
            size = draw(st.sampled_from([1, 2, 4]))
            data[at : at + size] = word[:size]
        elif kind == 3:
            del data[at : at + draw(st.integers(1, 300))]
        elif kind == 4:
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
        else:
            data[at:at] = draw(st.binary(max_size=8))
    if reader.repair is not None and draw(st.booleans()):
        return reader.repair(bytes(data))
    return bytes(data)


@trust_row(
    "readers-host",
    "Inputs from Hypothesis for all that the host reads: containers, licences, provisioning, "
    "helper records, sealed blocks, key files, WAV, PNG, JPEG, and every answer on the serial line",
    "each is read, or refused by an RbnnError",
)
@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_read_or_refused(
    name: str, all_readers: Mapping[str, Reader], trust: Trust
) -> None:
    reader = all_readers[name]
    count = trust.amount(quick=150, full=52_000) // SLOW.get(name, 1)
    tried = refused = 0

    def read(data: bytes) -> None:
        nonlocal tried, refused
        tried += 1
        try:
            reader.read(data)
        except RbnnError as error:
            refused += 1
            assert error.what

    for number in itertools.count():
        if tried >= count:
            break
        some = settings(
            max_examples=min(CHUNK, count - tried),
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        seed(number)(some(given(mutated(reader))(read)))()
    trust.measured(f"{name} {tried:,}, {refused:,} refused", tried)
    assert refused > 0


def test_the_examples_are_read(all_readers: Mapping[str, Reader]) -> None:
    assert tuple(all_readers) == NAMES
    for name, reader in all_readers.items():
        if name in ("provider key", "answer to enroll", "answer to self_test"):
            continue  # shortened, or a failure
        for example in reader.seeds:
            reader.read(example if reader.repair is None else reader.repair(example))
