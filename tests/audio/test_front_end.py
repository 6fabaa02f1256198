"""The front end: the firmware's C is the numpy specification, in every bit."""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sounds import Run, odd_clips, random_clip

from rbnn.spec import audio
from rbnn.tasks.audio import fit_clip, to_pcm
from rbnn.tasks.front_end import Pcm, columns, is_silent, picture
from rbnn.tasks.wav import read_wav

CLIPS = 500
"""Of each kind: made up, and real ones of ``RBNN_DATA``."""
COLUMN_BYTES = 2 * audio.COLUMNS * audio.BANDS


def check(driver: Run, clips: list[Pcm]) -> None:
    """Columns and pictures of the C front end equal those of numpy."""
    answer = driver("clips", data=b"".join(clip.astype("<i2").tobytes() for clip in clips))
    at = 0
    for number, clip in enumerate(clips):
        seen = columns(np.concatenate((clip, np.zeros(audio.PAD_SAMPLES, np.int16))))
        given = np.frombuffer(answer[at : at + COLUMN_BYTES], "<u2").reshape(seen.shape)
        assert np.array_equal(given, seen), f"columns of clip {number}"
        at += COLUMN_BYTES + 1
        assert answer[at - 1] == (not is_silent(seen)), f"silence of clip {number}"
        if answer[at - 1]:
            shown = answer[at : at + audio.PICTURE_BYTES]
            assert shown == picture(seen).tobytes(), f"picture of clip {number}"
            at += audio.PICTURE_BYTES
    assert at == len(answer)


def test_c_equals_numpy_on_odd_clips(driver: Run) -> None:
    check(driver, odd_clips())


def test_c_equals_numpy_on_made_up_clips(driver: Run) -> None:
    check(driver, [random_clip(seed) for seed in range(CLIPS)])


@pytest.mark.skipif(
    not (Path(os.environ.get("RBNN_DATA", "")) / "kws.zip").is_file(), reason="RBNN_DATA: no kws"
)
def test_c_equals_numpy_on_real_clips(driver: Run) -> None:
    with zipfile.ZipFile(Path(os.environ["RBNN_DATA"]) / "kws.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".wav")]
        chosen = random.Random(1).sample(names, CLIPS)
        clips = [to_pcm(fit_clip(read_wav(archive.read(name), name))) for name in chosen]
    check(driver, clips)
