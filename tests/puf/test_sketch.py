"""The secure sketch: firmware and host model alike, its statistics, and what it refuses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rbnn.engine.compile import MONOCYPHER, compile_native, room_sources
from rbnn.image import monocypher
from rbnn.keys import puf as model
from rbnn.keys.errors import FingerprintError
from rbnn.keys.fingerprint import Fingerprint
from rbnn.keys.puf import SketchEnrolment
from rbnn.keys.secret import Secret
from rbnn.spec import puf
from rbnn.spec.layout import HELPER_RECORD_BYTES
from rbnn.spec.status import Status


@dataclass(frozen=True)
class Sketch:
    """One implementation: enrolment and reproduction, None if it refuses."""

    enroll: Callable[[bytes], SketchEnrolment | None]
    reproduce: Callable[[bytes, bytes], Secret | None]


def python_sketch() -> Sketch:
    def enroll(pattern: bytes) -> SketchEnrolment | None:
        try:
            return model.enroll(pattern)
        except FingerprintError:
            return None

    def reproduce(pattern: bytes, record: bytes) -> Secret | None:
        try:
            return model.reproduce(pattern, record)
        except FingerprintError:
            return None

    return Sketch(enroll, reproduce)


def c_sketch() -> Sketch:
    monocypher.lay_out(monocypher.folder())
    sources: list[Path] = [
        *room_sources("crypto", "puf"),
        MONOCYPHER / "monocypher.c",
    ]
    library = ctypes.CDLL(str(compile_native("libsketch.so", sources, ["-O2", "-shared", "-fPIC"])))

    def enroll(pattern: bytes) -> SketchEnrolment | None:
        record = ctypes.create_string_buffer(b"\xaa" * HELPER_RECORD_BYTES, HELPER_RECORD_BYTES)
        root = ctypes.create_string_buffer(b"\xaa" * 32, 32)
        status = library.rbnn_sketch_enroll(pattern, record, root)
        if status == Status.OK:
            return SketchEnrolment(record.raw, Secret(root.raw))
        assert status == Status.PUF_PATTERN
        assert record.raw == bytes(HELPER_RECORD_BYTES) and root.raw == bytes(32)
        return None

    def reproduce(pattern: bytes, record: bytes) -> Secret | None:
        root = ctypes.create_string_buffer(b"\xaa" * 32, 32)
        status = library.rbnn_sketch_reproduce(pattern, record, root)
        if status == Status.OK:
            return Secret(root.raw)
        assert status == Status.PUF_HELPER and root.raw == bytes(32)
        return None

    return Sketch(enroll, reproduce)


@pytest.fixture(scope="module", params=["python", "c"])
def sketch(request: pytest.FixtureRequest) -> Sketch:
    return python_sketch() if request.param == "python" else c_sketch()


def device(seed: int, rate: float = 0.1) -> bytes:
    return Fingerprint.draw(seed).power_up(rate, np.random.default_rng(seed))


def flip(pattern: bytes, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bytes:
    bits = np.unpackbits(np.frombuffer(pattern, np.uint8), bitorder="little")
    bits[positions] ^= 1
    return np.packbits(bits, bitorder="little").tobytes()


@pytest.mark.parametrize(
    ("rate", "probability"), [(0.05, 4.6e-35), (0.10, 5.1e-18), (0.15, 1.0e-8), (0.20, 3.8e-3)]
)
def test_failure_probability_is_that_of_the_design(rate: float, probability: float) -> None:
    assert model.failure_probability(rate) == pytest.approx(probability, rel=0.05)


def test_failure_probability_at_the_ends() -> None:
    assert model.failure_probability(0.0) == 0.0
    assert model.failure_probability(0.5) == pytest.approx(1.0)


def test_c_and_python_agree_bit_for_bit() -> None:
    ours, theirs = python_sketch(), c_sketch()
    for seed in range(30):
        pattern = device(seed)
        enrolment = ours.enroll(pattern)
        assert enrolment is not None and theirs.enroll(pattern) == enrolment
        # Around the limit both must agree on success, too.
        for rate in (0.05, 0.19, 0.22):
            noisy = Fingerprint.draw(seed).power_up(rate)
            assert ours.reproduce(noisy, enrolment.helper_record) == theirs.reproduce(
                noisy, enrolment.helper_record
            )


def test_a_hundred_power_ups_give_one_key_and_other_devices_none(sketch: Sketch) -> None:
    own = Fingerprint.draw(1000)
    enrolment = sketch.enroll(own.power_up(0.10))
    assert enrolment is not None
    powered = [own.power_up(0.10) for _ in range(100)]
    assert len(set(powered)) == 100
    keys = [sketch.reproduce(pattern, enrolment.helper_record) for pattern in powered]
    assert keys == [enrolment.root] * 100
    others = [Fingerprint.draw(seed).power_up(0.10) for seed in range(100)]
    assert [sketch.reproduce(p, enrolment.helper_record) for p in others] == [None] * 100


def test_independent_bit_errors_at_ten_percent(sketch: Sketch) -> None:
    pattern = device(5)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    rng = np.random.default_rng(6)
    for _ in range(100):
        noisy = flip(pattern, np.flatnonzero(rng.random(puf.PATTERN_BITS) < 0.10))
        assert sketch.reproduce(noisy, enrolment.helper_record) == enrolment.root


def test_capacity_is_nine_groups_a_block(sketch: Sketch) -> None:
    pattern = device(7)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    rng = np.random.default_rng(8)

    def break_groups(count: int) -> bytes:
        positions = [
            block * puf.BCH_LENGTH * puf.REPETITION + group * puf.REPETITION + bit
            for block in range(puf.BLOCKS)
            for group in rng.choice(puf.BCH_LENGTH, count, replace=False)
            for bit in rng.choice(puf.REPETITION, 6, replace=False)
        ]
        return flip(pattern, np.array(positions, dtype=np.int64))

    for count in range(10):
        assert sketch.reproduce(break_groups(count), enrolment.helper_record) == enrolment.root
    for count in (10, 11, 20, 255):
        assert sketch.reproduce(break_groups(count), enrolment.helper_record) is None


def test_five_errors_in_every_group_are_corrected(sketch: Sketch) -> None:
    pattern = device(9)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    positions = (np.arange(puf.GROUPS)[:, None] * puf.REPETITION + np.arange(5)).reshape(-1)
    assert sketch.reproduce(flip(pattern, positions), enrolment.helper_record) == enrolment.root


def test_any_changed_bit_of_the_record_is_refused(sketch: Sketch) -> None:
    pattern = device(10)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    rng = np.random.default_rng(11)
    header = np.arange(64)
    tag = np.arange(256) + 8 * (HELPER_RECORD_BYTES - 32)
    helper = 64 + rng.choice(8 * puf.HELPER_BYTES, 300, replace=False)
    last_checks = np.arange(68) + 8 * (HELPER_RECORD_BYTES - 32) - 68
    for position in np.concatenate([header, tag, helper, last_checks]):
        changed = flip(enrolment.helper_record, np.array([position]))
        assert sketch.reproduce(pattern, changed) is None, position


@pytest.mark.parametrize(
    "pattern",
    [
        bytes(puf.PATTERN_BYTES),
        b"\xff" * puf.PATTERN_BYTES,
        b"\x55" * puf.PATTERN_BYTES,
        (b"\xa5\x5a\x0f\xf0" * 351)[: puf.PATTERN_BYTES],
    ],
    ids=["zeros", "ones", "painted byte", "painted word"],
)
def test_constant_patterns_are_refused(sketch: Sketch, pattern: bytes) -> None:
    assert sketch.enroll(pattern) is None


@pytest.mark.parametrize(("share", "accepted"), [(41, False), (43, True), (57, True), (59, False)])
def test_biased_patterns_are_refused(sketch: Sketch, share: int, accepted: bool) -> None:
    bits = np.zeros(8 * puf.PATTERN_BYTES, np.uint8)
    ones = puf.PATTERN_BITS * share // 100
    bits[np.random.default_rng(share).permutation(puf.PATTERN_BITS)[:ones]] = 1
    pattern = np.packbits(bits, bitorder="little").tobytes()
    assert (sketch.enroll(pattern) is not None) == accepted


def test_the_last_four_bits_do_not_count(sketch: Sketch) -> None:
    pattern = device(12)
    other = pattern[:-1] + bytes([pattern[-1] ^ 0xF0])
    first, second = sketch.enroll(pattern), sketch.enroll(other)
    assert first is not None and first == second


def test_a_record_of_another_size_is_refused() -> None:
    enrolment = model.enroll(device(13))
    with pytest.raises(FingerprintError):
        model.reproduce(device(13), enrolment.helper_record[:-1])


def test_fingerprint_model() -> None:
    own = Fingerprint.draw(20)
    assert own.power_up(0.0) == own.reference
    for rate in (0.05, 0.10, 0.20):
        first, second = (
            np.unpackbits(np.frombuffer(own.power_up(rate, np.random.default_rng(s)), np.uint8))
            for s in (1, 2)
        )
        assert np.mean(first != second) == pytest.approx(rate, abs=0.01)
    ones = np.unpackbits(np.frombuffer(Fingerprint.draw(21, bias=0.2).reference, np.uint8)).mean()
    assert ones == pytest.approx(0.58, abs=0.015)
    assert Fingerprint.draw().reference != Fingerprint.draw().reference
    with pytest.raises(ValueError):
        own.power_up(0.5)
