"""What enrolment refuses: made-up SRAM with the faults of real chips, and memory that was written.

Nothing that is accepted opens with a guess.
"""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from sketches import Sketch, c_sketch, python_sketch

from rbnn.bench.fingerprint.measure import guesses
from rbnn.keys import pattern as patterns
from rbnn.keys.errors import FingerprintError
from rbnn.keys.fingerprint import Fingerprint
from rbnn.spec import puf
from rbnn.spec.status import Status

FILE = Path(__file__).parents[1] / "vectors" / "sram_patterns.json"
CASES = {case["name"]: case for case in json.loads(FILE.read_text())["patterns"]}


@pytest.fixture(scope="module", params=["python", "c"])
def sketch(request: pytest.FixtureRequest) -> Sketch:
    return python_sketch() if request.param == "python" else c_sketch()


def pattern_of(name: str) -> bytes:
    return base64.b64decode(CASES[name]["pattern"])


def test_the_file_is_what_its_generator_makes() -> None:
    spec = importlib.util.spec_from_file_location("maker", FILE.with_name("make_sram_patterns.py"))
    assert spec is not None and spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert FILE.read_text() == maker.document()


@pytest.mark.parametrize("name", CASES)
def test_every_fault_has_its_status(sketch: Sketch, name: str) -> None:
    expected = Status[CASES[name]["status"]]
    assert sketch.examine(pattern_of(name)) is expected
    assert (sketch.enroll(pattern_of(name)) is None) == (expected is not Status.OK)


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_what_is_wrong_and_what_to_do(name: str) -> None:
    if CASES[name]["status"] == "OK":
        patterns.check(pattern_of(name))
        return
    with pytest.raises(FingerprintError) as caught:
        patterns.check(pattern_of(name))
    assert "%" in caught.value.what or "predicts" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name]["status"] == "OK"])
def test_no_guess_opens_an_accepted_pattern(name: str) -> None:
    pattern, sketch = pattern_of(name), c_sketch()
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    for guess in guesses(pattern):
        assert sketch.reproduce(guess, enrolment.helper_record) is None
    assert sketch.reproduce(pattern, enrolment.helper_record) == enrolment.root
    assert patterns.residual_bits(pattern) >= 128


def test_sound_devices_are_accepted_by_both() -> None:
    ours, theirs = python_sketch(), c_sketch()
    for seed in range(30):
        bias = (0.0, 0.1, 0.25)[seed % 3]
        pattern = Fingerprint.draw(seed, bias=bias).power_up(0.05, np.random.default_rng(seed))
        assert ours.examine(pattern) is Status.OK
        assert theirs.examine(pattern) is Status.OK


def test_both_agree_around_every_limit() -> None:
    """Biases, repetitions and leanings of random strength: every status occurs, always the same."""
    ours, theirs = python_sketch(), c_sketch()
    rng = np.random.default_rng(30)
    place = np.arange(8 * puf.PATTERN_BYTES)
    seen = set()
    for number in range(160):
        amount = rng.random()
        sign = place // (32, 64, 512, 2048)[number % 4] % 2
        share = 0.5 + (0.5 - sign) * 0.5 * amount
        cells = rng.random(place.size) < (share if number % 8 < 4 else 0.5 + 0.2 * amount)
        if number % 5 == 0:
            lag = int(rng.integers(1, 2000))
            again = rng.random(place.size - lag) < amount
            cells[lag:] = np.where(again, cells[:-lag], cells[lag:])
        pattern = np.packbits(cells, bitorder="little").tobytes()
        status = ours.examine(pattern)
        assert theirs.examine(pattern) is status
        seen.add(status)
    assert seen == {Status.OK, Status.PUF_PATTERN, Status.PUF_BIAS, Status.PUF_ENTROPY}


def test_the_limit_of_the_estimate_leaves_128_bits() -> None:
    share = puf.GUESSED_MAX_PERCENT / 100
    upper = share + 2.576 * np.sqrt(share * (1 - share) / puf.GROUPS)
    assert -puf.GROUPS * np.log2(upper) - puf.BLOCKS * puf.BCH_CHECKS > 128
