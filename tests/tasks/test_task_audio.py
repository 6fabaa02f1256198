"""The audio front end and the WAV reader."""

from __future__ import annotations

import numpy as np
import pytest
from float_log_mel import float_log_mel_image, mel_filters
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_sets import tone, wav_bytes

from rbnn.spec import audio
from rbnn.spec.audio import CLIP_SAMPLES, HIGHEST_HZ, LOWEST_HZ
from rbnn.tasks import TaskError
from rbnn.tasks.audio import fit_clip, log_mel_image, to_pcm
from rbnn.tasks.front_end import clip_picture, log2
from rbnn.tasks.wav import decode_wav, read_wav


@settings(deadline=None)
@given(
    arrays(
        np.float64,
        st.integers(0, 40_000),
        elements=st.floats(allow_nan=False, allow_infinity=False),
        fill=st.floats(-2, 2),
    )
)
def test_any_finite_samples_give_an_image(samples: np.ndarray) -> None:
    image = log_mel_image(samples)
    assert image.shape == (32, 32, 1)
    assert image.dtype == np.uint8


def test_silence_is_black() -> None:
    assert not log_mel_image(np.zeros(CLIP_SAMPLES)).any()
    assert not log_mel_image(np.zeros(0)).any()


def test_loudness_does_not_matter() -> None:
    sound = tone(700) + 0.01 * np.random.default_rng(0).standard_normal(CLIP_SAMPLES)
    loud, soft = log_mel_image(sound), log_mel_image(sound * 0.1)
    apart = np.abs(loud.astype(int) - soft)
    assert apart.max() <= 2 and (apart <= 1).mean() > 0.998  # samples have 16 bits
    assert loud.max() == soft.max() == 255


def test_clipping_keeps_the_band() -> None:
    square = np.clip(tone(1000) * 1000, -1, 1)
    assert log_mel_image(square)[:, 16, 0].argmax() == log_mel_image(tone(1000))[:, 16, 0].argmax()


@pytest.mark.parametrize("hertz", [150, 440, 1000, 3000, 7000])
def test_a_tone_lights_its_band(hertz: float) -> None:
    image = log_mel_image(tone(hertz))
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST_HZ, HIGHEST_HZ))
    expected = (2595 * np.log10(1 + hertz / 700) - low) / (high - low) * 33 - 1
    assert abs(int(image[:, 16, 0].argmax()) - expected) <= 1


def test_a_click_lights_its_frames() -> None:
    clip = np.zeros(CLIP_SAMPLES)
    clip[8000] = 1.0
    lit = np.flatnonzero(log_mel_image(clip).sum(axis=(0, 2)))
    assert lit.min() >= 14 and lit.max() <= 18


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.floats(-3.5, 0), st.floats(-2.5, 0.5))
def test_integers_are_close_to_floating_point(seed: int, peak: float, noise: float) -> None:
    """At most 1 of 255 apart nearly everywhere, 2 anywhere, whatever the loudness."""
    rng = np.random.default_rng(seed)
    sound = tone(rng.uniform(60, 7_500)) + 10**noise * rng.standard_normal(CLIP_SAMPLES)
    pcm = to_pcm(sound / np.abs(sound).max() * 10**peak)
    expected = float_log_mel_image(pcm / 32_768)[:, :, 0].astype(int)
    apart = np.abs(clip_picture(pcm).astype(int) - expected)
    assert apart.max() <= 2
    assert (apart <= 1).mean() >= 0.998
    assert (apart == 0).mean() >= 0.8  # the quietest clips have 10 steps


def test_logarithms_are_exact_to_a_unit() -> None:
    values = [1, 2, 3, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1, *(7**k for k in range(22))]
    found = log2(np.array(values, np.int64)) / 2**audio.LOG_FRACTION_BITS
    assert np.abs(found - np.log2(np.array(values, float))).max() < 0.75 / 1024


def test_no_table_entry_depends_on_the_last_bit_of_a_sine() -> None:
    """Every entry is rounded from a number that is far from a half."""
    one = 2.0**audio.SINE_FRACTION_BITS
    waves = np.sin(2 * np.pi * np.arange(257) / 1024) * one
    slopes = [
        (k - left) / (right - left) * one
        for left, right in zip(audio.EDGES[:-1], audio.EDGES[1:], strict=True)
        for k in range(int(np.ceil(left)), int(np.ceil(right)))
    ]
    places = np.log2(1 + np.arange(33) / 32) * 2.0**audio.LOG_TABLE_FRACTION_BITS
    exact = np.concatenate((waves, slopes, places))
    assert len(slopes) == len(audio.WEIGHTS)
    assert np.abs(np.abs(exact - np.floor(exact)) - 0.5).min() > 1e-6


def test_filters_have_unit_area_and_overlap() -> None:
    filters = mel_filters()
    assert filters.shape == (32, 513)
    assert np.allclose(filters.sum(axis=1), 1)
    assert (filters >= 0).all()


def test_short_clips_are_centred_and_long_ones_cut_to_the_loudest_second() -> None:
    short = fit_clip(np.ones(100))
    assert len(short) == CLIP_SAMPLES
    assert np.flatnonzero(short).tolist() == list(range(7950, 8050))
    long = np.concatenate((np.zeros(16_000), tone(500), np.zeros(8_000)))
    assert np.array_equal(fit_clip(long), tone(500))


@pytest.mark.parametrize(
    ("code", "bits", "channels", "rate"),
    [
        (1, 8, 1, 8_000),
        (1, 16, 1, 16_000),
        (1, 16, 2, 44_100),
        (1, 24, 1, 48_000),
        (1, 24, 3, 22_050),
        (1, 32, 2, 11_025),
        (3, 32, 1, 96_000),
        (3, 64, 2, 16_000),
    ],
)
def test_rates_widths_and_channels_give_the_same_sound(
    code: int, bits: int, channels: int, rate: int
) -> None:
    samples = np.repeat(tone(1000, rate=rate), channels)
    sound = read_wav(wav_bytes(samples, rate, code, bits, channels), "x.wav")
    assert len(sound) == CLIP_SAMPLES
    middle = slice(1000, -1000)
    assert np.abs(sound[middle] - tone(1000)[middle]).max() < 0.02


def test_resampling_does_not_alias() -> None:
    sound = read_wav(wav_bytes(tone(10_000, rate=44_100), 44_100), "x.wav")
    assert np.abs(sound[500:-500]).max() < 0.001


def test_channels_are_averaged() -> None:
    pair = np.stack((tone(500), np.zeros(CLIP_SAMPLES)), axis=1).reshape(-1)
    sound = read_wav(wav_bytes(pair, channels=2), "x.wav")
    assert np.abs(sound - tone(500) / 2).max() < 1e-3


@pytest.mark.parametrize(("rate", "seconds"), [(8_000, 0.14), (8_000, 1.3), (44_100, 0.001)])
def test_clips_of_other_lengths(rate: int, seconds: float) -> None:
    sound = read_wav(wav_bytes(tone(500, seconds, rate), rate), "x.wav")
    assert len(sound) == min(round(seconds * 16_000), CLIP_SAMPLES)
    assert log_mel_image(sound).any()


def test_only_read_wav_cuts_to_one_second() -> None:
    raw = wav_bytes(np.concatenate((np.zeros(32_000), tone(500))))
    assert len(decode_wav(raw, "x.wav")) == 48_000
    assert np.abs(read_wav(raw, "x.wav") - tone(500)).max() < 1e-3


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 80), st.binary(min_size=1, max_size=8))
def test_damaged_wav_files_never_crash(tail: bytes, position: int, patch: bytes) -> None:
    raw = bytearray(wav_bytes(tone(1000, 0.01)))
    raw[position : position + len(patch)] = patch
    for candidate in (bytes(raw), bytes(raw[:position]) + tail, tail):
        try:
            sound = read_wav(candidate, "x.wav")
        except TaskError:
            continue
        assert log_mel_image(sound).shape == (32, 32, 1)
