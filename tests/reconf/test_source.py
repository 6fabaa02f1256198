"""Reconfiguration on the device, streaming and resident, against rbnn.spec.key_stream."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rbnn import monocypher
from rbnn.engine.compile import MONOCYPHER, SANITIZERS, compile_native, room_sources
from rbnn.spec.key_stream import StreamKeys, reconfigure, stream_key
from rbnn.spec.layout import Cipher

SECRET = b"TEST-ONLY secret of a task, 32 b"
MODEL = b"model of the day"
TRUNK_KEY = b"TEST-ONLY key of the trunk, 32 b"
WIPE = 2**32 - 1


@dataclass(frozen=True)
class Setup:
    """A model whose layers are nothing but bits."""

    sizes: tuple[int, ...]
    cipher: Cipher = Cipher.CHACHA20
    resident: int = 0
    resident_bytes: int | None = None
    misaligned: int = 0
    trunk_layers: int = 0
    has_trunk_key: bool = True

    def stored(self) -> list[bytes]:
        """P, layer by layer."""
        rng = np.random.default_rng(sum(self.sizes))
        return [rng.bytes(size) for size in self.sizes]

    def needed(self) -> int:
        """Bytes of the resident layers."""
        return sum(-(-s // 4) * 4 for n, s in enumerate(self.sizes) if self.resident >> n & 1)


@pytest.fixture(scope="module")
def program() -> Path:
    monocypher.lay_out(monocypher.folder())
    sources = [
        Path(__file__).with_name("reconf_driver.c"),
        *room_sources("crypto", "reconf"),
        MONOCYPHER / "monocypher.c",
    ]
    return compile_native("reconf_driver", sources, ["-O1", *SANITIZERS])


def serve(
    program: Path, setup: Setup, requests: list[tuple[int, int, int]]
) -> subprocess.CompletedProcess[bytes]:
    """The driver, after it has served the requests."""
    stored = b"".join(setup.stored())
    given = SECRET + MODEL + struct.pack(
        "<Q5I2H", setup.resident,
        setup.needed() if setup.resident_bytes is None else setup.resident_bytes,
        setup.cipher, len(setup.sizes), len(stored), setup.misaligned, setup.trunk_layers,
        setup.has_trunk_key,
    )  # fmt: skip
    given += TRUNK_KEY
    given += struct.pack(f"<{len(setup.sizes)}I", *setup.sizes) + stored
    given += b"".join(struct.pack("<3I", *request) for request in requests)
    return subprocess.run([str(program)], input=given, capture_output=True, timeout=60)


def run(program: Path, setup: Setup, requests: list[tuple[int, int, int]]) -> tuple[bytes, str]:
    """What the driver answers, and says on standard error."""
    done = serve(program, setup, requests)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, done.stderr.decode()


def expected(setup: Setup, requests: list[tuple[int, int, int]]) -> bytes:
    """The answers according to the specification."""
    keys = StreamKeys(stream_key(SECRET, MODEL), TRUNK_KEY, setup.trunk_layers)
    weights = [
        reconfigure(bits, keys.of(number), number, setup.cipher)
        for number, bits in enumerate(setup.stored())
    ]
    answer = b""
    for layer, offset, size in requests:
        if layer == WIPE:
            answer += bytes(4)
        else:
            in_room = not setup.resident >> layer & 1
            answer += bytes([in_room]) + weights[layer][offset : offset + size]
    return answer


@st.composite
def cases(draw: st.DrawFn) -> tuple[Setup, list[tuple[int, int, int]]]:
    sizes = tuple(draw(st.lists(st.integers(1, 700), min_size=1, max_size=5)))
    setup = Setup(
        sizes,
        draw(st.sampled_from(Cipher)),
        draw(st.integers(0, 2 ** len(sizes) - 1)),
        misaligned=draw(st.integers(0, 3)),
        trunk_layers=draw(st.integers(0, len(sizes) - 1)),
    )
    requests = []
    for _ in range(draw(st.integers(1, 12))):
        layer = draw(st.integers(0, len(sizes)))
        if layer == len(sizes):
            requests.append((WIPE, 0, 0))
            continue
        offset = 64 * draw(st.integers(0, (sizes[layer] - 1) // 64))
        requests.append((layer, offset, draw(st.integers(0, sizes[layer] - offset))))
    return setup, requests


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_any_order_of_requests(
    program: Path, case: tuple[Setup, list[tuple[int, int, int]]]
) -> None:
    setup, requests = case
    requests = [*requests, (WIPE, 0, 0)]
    answer, said = run(program, setup, requests)
    assert answer == expected(setup, requests) and said == ""


def test_what_does_not_fit_is_refused_and_streams(program: Path) -> None:
    setup = Setup((100, 200), resident=3, resident_bytes=299)
    requests = [(1, 64, 100), (0, 0, 100)]
    answer, said = run(program, setup, requests)
    assert answer == expected(Setup((100, 200)), requests) and said == "refused\n"


def test_all_layers_of_a_table_may_be_resident(program: Path) -> None:
    setup = Setup(tuple(range(64, 128)), resident=2**64 - 1)
    requests = [(layer, 0, 64) for layer in (63, 0, 31, 32, 63)]
    answer, said = run(program, setup, requests)
    assert answer == expected(setup, requests) and said == ""


def test_a_trunk_without_its_key_is_refused(program: Path) -> None:
    setup = Setup((100, 200), trunk_layers=1, has_trunk_key=False)
    done = serve(program, setup, [(0, 0, 100)])
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"not started\n")


def test_without_a_trunk_no_trunk_key_is_needed(program: Path) -> None:
    setup = Setup((100, 200), has_trunk_key=False)
    requests = [(0, 0, 100), (1, 64, 100), (WIPE, 0, 0)]
    answer, said = run(program, setup, requests)
    assert answer == expected(setup, requests) and said == ""
