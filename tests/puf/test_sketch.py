"""The secure sketch: firmware and host model alike, its statistics, and what it refuses."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from sketches import Sketch, c_sketch, python_sketch

from rbnn.keys import puf as model
from rbnn.keys.errors import FingerprintError
from rbnn.keys.fingerprint import Fingerprint
from rbnn.spec import puf
from rbnn.spec.layout import HELPER_RECORD_BYTES

Places = npt.NDArray[np.int64]
PATTERN_BITS = 8 * puf.PATTERN_BYTES
GROUP_PAIRS = 8 * puf.GROUP_BYTES


@pytest.fixture(scope="module", params=["python", "c"])
def sketch(request: pytest.FixtureRequest) -> Sketch:
    return python_sketch() if request.param == "python" else c_sketch()


def device(seed: int, rate: float = 0.1) -> bytes:
    return Fingerprint.draw(seed).power_up(rate, np.random.default_rng(seed))


def flip(pattern: bytes, positions: Places) -> bytes:
    bits = np.unpackbits(np.frombuffer(pattern, np.uint8), bitorder="little")
    bits[positions] ^= 1
    return np.packbits(bits, bitorder="little").tobytes()


@pytest.mark.parametrize(
    ("rate", "kept", "probability"),
    [
        (0.05, 0.5, 6.8e-45),
        (0.10, 0.5, 8.6e-32),
        (0.15, 0.5, 5.8e-21),
        (0.20, 0.5, 3.2e-12),
        (0.15, puf.KEPT_MIN_PERCENT / 100, 1.7e-12),
        (0.20, puf.KEPT_MIN_PERCENT / 100, 1.4e-6),
    ],
)
def test_failure_probability_is_that_of_the_design(
    rate: float, kept: float, probability: float
) -> None:
    assert model.failure_probability(rate, kept) == pytest.approx(probability, rel=0.05)


def test_a_groups_error_is_that_of_all_ways_to_vote() -> None:
    rate, kept = 0.2, 5
    odds = {1: (1 - rate) ** 2, -1: rate**2, 0: 2 * rate * (1 - rate)}
    wrong = silent = 0.0
    for votes in itertools.product(odds, repeat=kept):
        chance = math.prod(odds[vote] for vote in votes)
        wrong += chance if sum(votes) < 0 else 0.0
        silent += chance if sum(votes) == 0 else 0.0
    assert model.group_error(rate, kept) == pytest.approx((wrong + silent / 2, silent))


def test_failure_probability_at_the_ends() -> None:
    # A group may be without a kept pair.
    assert model.failure_probability(0.0) < 1e-50
    assert model.failure_probability(0.5) == pytest.approx(1.0)


def test_c_and_python_agree_bit_for_bit() -> None:
    ours, theirs = python_sketch(), c_sketch()
    for seed in range(30):
        pattern = device(seed)
        enrolment = ours.enroll(pattern)
        assert enrolment is not None and theirs.enroll(pattern) == enrolment
        # Around the limit both must agree on success, too.
        for rate in (0.05, 0.25, 0.28, 0.31):
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


@pytest.mark.parametrize("rate", [0.10, 0.15, 0.20])
def test_independent_bit_errors_are_corrected(sketch: Sketch, rate: float) -> None:
    pattern = device(5)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    rng = np.random.default_rng(6)
    for _ in range(100):
        noisy = flip(pattern, np.flatnonzero(rng.random(PATTERN_BITS) < rate))
        assert sketch.reproduce(noisy, enrolment.helper_record) == enrolment.root


def cells_of(group: int) -> tuple[Places, Places]:
    """Where the first and second cells of a group's pairs are in the pattern, in bits."""
    index = GROUP_PAIRS * group + np.arange(GROUP_PAIRS)
    first = 1024 * (index // 512) + index % 512
    return first, first + 512


def swap(pattern: bytes, groups: Places) -> bytes:
    """Exchange first and second cells of whole groups."""
    bits = np.unpackbits(np.frombuffer(pattern, np.uint8), bitorder="little")
    for group in groups:
        first, second = cells_of(int(group))
        bits[first], bits[second] = bits[second], bits[first]
    return np.packbits(bits, bitorder="little").tobytes()


def silence(pattern: bytes, groups: Places) -> bytes:
    """Make both cells of all pairs of some groups equal."""
    bits = np.unpackbits(np.frombuffer(pattern, np.uint8), bitorder="little")
    for group in groups:
        first, second = cells_of(int(group))
        bits[second] = bits[first]
    return np.packbits(bits, bitorder="little").tobytes()


def some_of_each_block(rng: np.random.Generator, count: int) -> Places:
    starts = np.arange(puf.BLOCKS) * puf.BCH_LENGTH
    return np.concatenate([s + rng.choice(puf.BCH_LENGTH, count, replace=False) for s in starts])


def test_capacity_is_nine_groups_a_block(sketch: Sketch) -> None:
    pattern = device(7)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    rng = np.random.default_rng(8)
    for count in range(10):
        wrong = swap(pattern, some_of_each_block(rng, count))
        assert sketch.reproduce(wrong, enrolment.helper_record) == enrolment.root
    for count in (10, 11, 20, 255):
        wrong = swap(pattern, some_of_each_block(rng, count))
        assert sketch.reproduce(wrong, enrolment.helper_record) is None


def codeword() -> Places:
    """The groups of block 0 where g(x), a codeword of the outer code, is 1."""
    generator = puf.generator_polynomial()
    return np.array([i for i in range(puf.BCH_CHECKS + 1) if generator >> i & 1])


def test_helper_data_are_the_same_for_every_secret_that_they_leave(sketch: Sketch) -> None:
    """The argument of docs/security.md: exchange the cells of the groups of a codeword, and helper
    data, of several enrolments too, stay as they are, and the key changes."""
    own = Fingerprint.draw(14)
    for seed in (1, 2, 3):
        pattern = own.power_up(0.1, np.random.default_rng(seed))
        first, second = sketch.enroll(pattern), sketch.enroll(swap(pattern, codeword()))
        assert first is not None and second is not None
        assert first.helper_record[: -puf.TAG_BYTES] == second.helper_record[: -puf.TAG_BYTES]
        assert first.root != second.root
    dimension = puf.BLOCKS * puf.BCH_DIMENSION
    assert dimension - puf.SILENT_MAX >= 128


def test_helper_data_that_mark_only_silent_pairs_are_refused(sketch: Sketch) -> None:
    """Marking pairs whose cells are equal would make every group 0, and so the key known."""
    pattern = device(15, 0.0)
    held = np.unpackbits(np.frombuffer(pattern, np.uint8), bitorder="little").reshape(-1, 2, 512)
    equal = (held[:, 0] == held[:, 1]).reshape(-1)[: 8 * puf.PAIR_BYTES].astype(np.uint8)
    kept = np.packbits(equal, bitorder="little").tobytes()
    head = model._header() + kept + bytes(puf.PAIR_BYTES + puf.CHECK_BYTES)
    tag, _ = model._derive(np.zeros(puf.GROUPS, np.uint8), head)
    assert sketch.reproduce(pattern, head + tag) is None


@pytest.mark.parametrize(("count", "accepted"), [(8, True), (9, True), (30, False)])
def test_silent_groups_count_as_errors_and_are_limited(
    sketch: Sketch, count: int, accepted: bool
) -> None:
    pattern = device(16)
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    quiet = silence(pattern, some_of_each_block(np.random.default_rng(17), count))
    again = sketch.reproduce(quiet, enrolment.helper_record)
    assert again == (enrolment.root if accepted else None)


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


def test_the_cells_after_the_last_pair_do_not_count(sketch: Sketch) -> None:
    pattern = device(12)
    unused = np.arange(6 * 8) + 8 * (puf.PATTERN_BYTES - 6)
    other = flip(flip(pattern, unused), unused - 512)
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
