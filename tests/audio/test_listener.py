"""The listener: a stream gives the pictures of its clips, and the C decides as numpy does."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from sounds import Run, odd_clips, random_clip

from rbnn.spec import audio
from rbnn.spec.scores import PPM
from rbnn.tasks.front_end import Pcm, clip_picture
from rbnn.tasks.listener import Judge, looks

LOOK_BYTES = 8 + audio.PICTURE_BYTES


def streamed(driver: Run, pcm: Pcm, block: int) -> tuple[list[tuple[int, bytes]], int]:
    """First sample and picture of every look that the C listener wants scores for; its end."""
    answer = driver("stream", block, data=pcm.astype("<i2").tobytes())
    body, (end,) = answer[:-8], struct.unpack("<Q", answer[-8:])
    assert len(body) % LOOK_BYTES == 0
    parts = [body[at : at + LOOK_BYTES] for at in range(0, len(body), LOOK_BYTES)]
    return [(struct.unpack("<Q", part[:8])[0], part[8:]) for part in parts], end


def audible(pcm: Pcm) -> list[tuple[int, bytes]]:
    """The same by the specification."""
    return [(one.first, one.picture.tobytes()) for one in looks(pcm) if one.picture is not None]


@pytest.mark.parametrize("block", [1, 499, 500, 501, 4096, 100_000])
def test_blocks_of_any_size_give_the_same_pictures(driver: Run, block: int) -> None:
    quiet = np.zeros(20_000, np.int16)
    pcm = np.concatenate((random_clip(1), random_clip(2), quiet, random_clip(3), quiet[:777]))
    wanted = [
        (look.first, look.picture.tobytes()) for look in looks(pcm) if look.picture is not None
    ]
    seen, end = streamed(driver, pcm, block)
    assert seen == wanted and len(wanted) > 15
    assert end == len(pcm)


def test_a_stream_looks_at_clips_as_the_trainer_does(driver: Run) -> None:
    """A second with silence around it gives, where a look falls on it, the clip's own picture."""
    step = audio.HOP_SAMPLES * audio.HOPS_PER_INFERENCE
    silence = np.zeros(10 * step, np.int16)
    clips = [random_clip(seed) for seed in range(20)]
    pcm = np.concatenate([part for clip in clips for part in (clip, silence)])
    seen = dict(streamed(driver, pcm, 4096)[0])
    found = 0
    for number, clip in enumerate(clips):
        first = number * (len(clip) + len(silence))
        assert first % step == 0
        if first in seen:  # a few are too quiet
            assert seen.pop(first) == clip_picture(clip).tobytes()
            found += 1
    assert found >= 15


def test_silence_is_not_looked_at(driver: Run) -> None:
    assert streamed(driver, np.zeros(100_000, np.int16), 4096) == ([], 100_000)
    assert streamed(driver, np.zeros(0, np.int16), 4096) == ([], 0)


def test_extremes_stream(driver: Run) -> None:
    pcm = np.concatenate(odd_clips())
    wanted = [
        (look.first, look.picture.tobytes()) for look in looks(pcm) if look.picture is not None
    ]
    assert streamed(driver, pcm, 4096)[0] == wanted


@pytest.mark.parametrize(("classes", "threshold"), [(2, 600_000), (12, 300_000), (64, 40_000)])
def test_c_decides_as_the_specification(driver: Run, classes: int, threshold: int) -> None:
    rng = np.random.default_rng(classes)
    ignored = frozenset(int(k) for k in rng.choice(classes, classes // 4, replace=False))
    judge = Judge(threshold, ignored)
    sent, wanted = b"", []
    # The first look comes with the 32nd column, silence included.
    favourite = 0
    for _ in range(3_000):
        if rng.random() < 0.15:
            favourite = int(rng.integers(classes))
        loud = rng.random() > 0.1
        raw = rng.random(classes) ** 4
        raw[favourite] += rng.random() * classes / 4
        scores = [int(value) for value in raw / raw.sum() * PPM]
        if rng.random() < 0.05:
            scores = [PPM // classes] * classes  # a tie
        sent += bytes([loud]) + struct.pack(f"<{classes}I", *scores)
        wanted.append(judge.look(scores if loud else []) or (-1, 0))
    mask = sum(1 << number for number in ignored)
    answer = driver("judge", threshold, mask, classes, data=sent)
    assert list(struct.iter_unpack("<iI", answer)) == wanted
    assert sum(number >= 0 for number, _ in wanted) > 40


def test_a_word_is_reported_once_and_again_after_the_refractory_time() -> None:
    judge = Judge(500_000, frozenset({0}))
    sure, background = [0, PPM], [PPM, 0]
    wait = audio.REFRACTORY_HOPS // audio.HOPS_PER_INFERENCE
    found = [judge.look(sure) for _ in range(3 * wait)]
    at = [place for place, one in enumerate(found) if one]
    assert at[0] == 1 and set(np.diff(at)) == {wait}, "two of three are above one half"
    assert not any(judge.look(background) for _ in range(3 * wait))


def test_how_long_things_take_in_seconds() -> None:
    hop = audio.HOP_SAMPLES / audio.RATE_HZ
    assert hop == 0.03125
    assert hop * audio.HOPS_PER_INFERENCE == 0.125
    assert hop * audio.REFRACTORY_HOPS == 1.0
    assert audio.REFRACTORY_HOPS % audio.HOPS_PER_INFERENCE == 0
