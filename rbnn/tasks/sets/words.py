"""Task ``words``: ten keywords spoken by espeak-ng, as log-mel images.

A voice is an accent and a variant (roughly, the shape of the throat). No variant of the test set
occurs in the training set, and each clip has its own noise. Everything is drawn from a generator
seeded per clip, so the set is the same on every run with the same espeak-ng.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Literal

import numpy as np

from rbnn.programs import install_command
from rbnn.spec.audio import CLIP_SAMPLES, RATE_HZ
from rbnn.tasks.audio import RECIPE, Samples, log_mel_image
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Split
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.resample import resample

Progress = Callable[[str, int, int], None]
Part = Literal["train", "test"]

WORDS = (
    "camera", "forward", "left", "music", "no", "open", "right", "seven", "stop", "yes",
)  # fmt: skip
ACCENTS = (
    "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
    "en-029", "en-us-nyc",
)  # fmt: skip
VARIANTS: dict[Part, tuple[str, ...]] = {
    "train": (
        "m1", "m2", "m3", "m5", "m7", "m8", "f1", "f2", "f4", "Alex", "Andy", "Annie", "Denis",
        "Lee", "Michael", "belinda", "benjamin", "david", "linda", "max", "rob", "steph", "victor",
    ),
    "test": ("m4", "m6", "f3", "f5", "Andrea", "Mike", "edward", "paul", "steph2", "travis"),
}  # fmt: skip
UTTERANCES: dict[Part, int] = {"train": 120, "test": 40}
"""Spoken clips per word."""
TAKES: dict[Part, int] = {"train": 2, "test": 1}
"""How often a clip is used, each time with its own position in the second, loudness and noise."""
PITCH = (25, 75)
WORDS_PER_MINUTE = (130, 200)
SNR_DB = (12.0, 35.0)
PEAK = (0.2, 0.9)
SHIFT_SAMPLES = RATE_HZ // 16
SEED = 7041
SPEAK_SECONDS = 20
ORIGIN = "spoken by espeak-ng"


def _espeak(arguments: list[str]) -> bytes:
    program = shutil.which("espeak-ng")
    if program is None:
        raise TaskError(
            "The task words needs the speech synthesiser espeak-ng, which is not installed.",
            f"Install it: {install_command('espeak-ng')}",
        )
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, check=True, timeout=SPEAK_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TaskError(f"espeak-ng failed: {error}.", "Install it again, or remove it.") from error
    return done.stdout


def recipe() -> dict[str, object]:
    """Everything that the set depends on, including the synthesiser's version."""
    version = _espeak(["--version"]).decode(errors="replace").partition("Data at")[0].strip()
    return {
        "task": "words 1",
        "synthesiser": version,
        "words": WORDS,
        "accents": ACCENTS,
        "variants": VARIANTS,
        "utterances": UTTERANCES,
        "takes": TAKES,
        "ranges": [PITCH, WORDS_PER_MINUTE, SNR_DB, PEAK, SHIFT_SAMPLES],
        "seed": SEED,
        **RECIPE,
    }


def speak(word: str, voice: str, pitch: int, words_per_minute: int) -> Samples:
    """One spoken word, without the silence around it.

    Returns:
        Mono, 16 kHz, peak 1, float64.

    Raises:
        TaskError: espeak-ng is missing, failed or said nothing.
    """
    stream = _espeak(["-v", voice, "-p", str(pitch), "-s", str(words_per_minute), "--stdout", word])
    # On standard output, espeak-ng cannot write the lengths: a 44-byte header, then samples.
    rate = int.from_bytes(stream[24:28], "little")
    body = stream[44 : len(stream) // 2 * 2]
    samples = np.frombuffer(body, dtype="<i2").astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max(initial=1.0))
    if rate <= 0 or len(loud) == 0:
        raise TaskError(
            f"espeak-ng said nothing for {word!r} in the voice {voice}.",
            "Install espeak-ng and its voices again.",
        )
    spoken = resample(samples[loud[0] : loud[-1] + 1], RATE_HZ, rate)
    return np.asarray(spoken / np.abs(spoken).max())


def _noise(random: np.random.Generator) -> Samples:
    """Noise of power 1, between white and falling by 6 dB per octave."""
    spectrum = np.fft.rfft(random.standard_normal(CLIP_SAMPLES))
    slope = random.uniform(0.0, 1.0)
    spectrum *= np.maximum(np.arange(len(spectrum)), 20.0) ** -slope
    noise = np.fft.irfft(spectrum, CLIP_SAMPLES)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def place(spoken: Samples, random: np.random.Generator) -> Samples:
    """Put a spoken word near the middle of one second, over background noise."""
    spoken = spoken[:CLIP_SAMPLES]
    room = CLIP_SAMPLES - len(spoken)
    shift = int(random.integers(-SHIFT_SAMPLES, SHIFT_SAMPLES + 1))
    start = min(max(room // 2 + shift, 0), room)
    clip = np.zeros(CLIP_SAMPLES)
    clip[start : start + len(spoken)] = spoken
    level = np.sqrt(np.mean(spoken**2)) * 10 ** (-random.uniform(*SNR_DB) / 20)
    clip += level * _noise(random)
    return np.asarray(clip * (random.uniform(*PEAK) / np.abs(clip).max()))


def make(progress: Progress | None = None, sides: Sides = USUAL) -> Decoded:
    """Synthesise the whole set; takes well under a minute.

    Args:
        progress: called as ``progress("speaking words", done, total)``.
        sides: height and width of its pictures.

    Raises:
        TaskError: espeak-ng is missing or failed.
    """
    total = sum(UTTERANCES.values()) * len(WORDS)
    done = 0
    splits: dict[Part, Split] = {}
    for part, variants in VARIANTS.items():
        images, labels = [], []
        for label, word in enumerate(WORDS):
            for number in range(UTTERANCES[part]):
                random = np.random.default_rng([SEED, part == "test", label, number])
                voice = f"{random.choice(ACCENTS)}+{variants[number % len(variants)]}"
                spoken = speak(
                    word,
                    voice,
                    int(random.integers(PITCH[0], PITCH[1] + 1)),
                    int(random.integers(WORDS_PER_MINUTE[0], WORDS_PER_MINUTE[1] + 1)),
                )
                for _ in range(TAKES[part]):
                    images.append(log_mel_image(place(spoken, random), sides))
                    labels.append(label)
                done += 1
                if progress is not None:
                    progress("speaking words", done, total)
        splits[part] = Split(np.stack(images), np.array(labels, dtype=np.int64))
    return Decoded(WORDS, splits["train"], splits["test"], "audio")
