"""The audio front end and the listener: what host and firmware agree on.

``rbnn.tasks.front_end`` is the front end in numpy, ``rbnn.tasks.listener`` what decides on its
pictures; ``firmware/audio`` is both in C. All of it is integers. The tables here are rounded to
the nearest integer; a test keeps every entry away from a half, so that no other C library's sine
or logarithm gives another one.

Powers count in units of which a full-scale sine has ``2**46``; logarithms are base 2 with
``LOG_FRACTION_BITS`` fraction bits.
"""

from __future__ import annotations

import math

from rbnn.spec.layout import MAX_CLASSES
from rbnn.spec.link import INPUT_BUFFER_BYTES

RATE_HZ = 16_000
CLIP_SAMPLES = RATE_HZ
"""One second: what a picture shows."""
FRAME_SAMPLES = 1024
HOP_SAMPLES = 500
"""31.25 ms from one column to the next."""
BANDS = 32
COLUMNS = 32
PICTURE_BYTES = BANDS * COLUMNS
PAD_SAMPLES = ((COLUMNS - 1) * HOP_SAMPLES + FRAME_SAMPLES - CLIP_SAMPLES) // 2
"""Zeros before and after a clip, so that the frames are symmetric in it."""

LOWEST_HZ = 60.0
HIGHEST_HZ = 7_600.0
RANGE_DB = 60.0
FLOOR_DB = -70.0
"""A second whose loudest value is below this, against a full-scale sine, is silence."""

SINE_FRACTION_BITS = 15
SAMPLE_FRACTION_BITS = 6
"""Of the samples after the window: the most with which every sum fits 32 bits. The transform's are
below 2**15 * 2**9 * 2**6 / sqrt(2), and twice a bin of real samples below 2 / pi of 2 * 2**30."""
POWER_SHIFT = 14
"""Powers are divided by two to this, rounded, before they are weighted: their sum over all bins is
then below 2**48, and their weighted sum below 2**63."""
LOG_FRACTION_BITS = 10
LOG_INDEX_BITS = 5
"""The logarithm interpolates between ``2**LOG_INDEX_BITS`` places of an octave."""
LOG_TABLE_FRACTION_BITS = 15
SCALE_FRACTION_BITS = 20

FULL_SCALE_BITS = 46
"""Power of a full-scale sine: (2 * 2**15 * FRAME / 4 * 2**6) ** 2 / 2**14."""


def _log2(value: float) -> int:
    return round(math.log2(value) * (1 << LOG_FRACTION_BITS))


SINE = tuple(
    round(math.sin(2 * math.pi * k / FRAME_SAMPLES) * (1 << SINE_FRACTION_BITS))
    for k in range(FRAME_SAMPLES // 4 + 1)
)
"""A quarter of a wave: window and twiddle factors are made from it."""


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _edges() -> list[float]:
    """Edges of the bands, in bins: band b rises from edge b to b + 1, and falls to b + 2."""
    low, high = _mel(LOWEST_HZ), _mel(HIGHEST_HZ)
    steps = [low + (high - low) * step / (BANDS + 1) for step in range(BANDS + 2)]
    return [700 * (10 ** (mel / 2595) - 1) * FRAME_SAMPLES / RATE_HZ for mel in steps]


EDGES = _edges()
SLOPE_STARTS = tuple(math.ceil(edge) for edge in EDGES)
"""First bin of each of the ``BANDS + 1`` slopes, and the bin after the last."""
FIRST_BIN = SLOPE_STARTS[0]
WEIGHTS = tuple(
    round((k - EDGES[slope]) / (EDGES[slope + 1] - EDGES[slope]) * (1 << SINE_FRACTION_BITS))
    for slope in range(BANDS + 1)
    for k in range(SLOPE_STARTS[slope], SLOPE_STARTS[slope + 1])
)
"""Of each bin from ``FIRST_BIN`` on, in the band that rises there; the rest to ``2**15`` is its
weight in the band that falls."""


def _area(band: int) -> int:
    """Sum of a band's weights."""
    one = 1 << SINE_FRACTION_BITS
    start, peak, end = (SLOPE_STARTS[band + step] - FIRST_BIN for step in range(3))
    return sum(WEIGHTS[start:peak]) + sum(one - weight for weight in WEIGHTS[peak:end])


LEAST_POWER = (1 << FULL_SCALE_BITS) * 10 ** ((FLOOR_DB - RANGE_DB) / 10)
"""Added to every band, so that silence has a logarithm."""
LEAST_SUMS = tuple(round(_area(band) * LEAST_POWER) for band in range(BANDS))
"""The same in the units of a band's weighted sum."""
LOG_AREAS = tuple(_log2(_area(band)) for band in range(BANDS))
LOG_TABLE = tuple(
    round(math.log2(1 + place / (1 << LOG_INDEX_BITS)) * (1 << LOG_TABLE_FRACTION_BITS))
    for place in range((1 << LOG_INDEX_BITS) + 1)
)
LOG_FLOOR = _log2((1 << FULL_SCALE_BITS) * 10 ** (FLOOR_DB / 10))
LOG_RANGE = round(RANGE_DB / 10 * math.log2(10) * (1 << LOG_FRACTION_BITS))
SCALE = round(
    255 / (RANGE_DB / 10 * math.log2(10) * (1 << LOG_FRACTION_BITS)) * (1 << SCALE_FRACTION_BITS)
)
"""From a logarithm above the picture's darkest to its byte."""

HOPS_PER_INFERENCE = 4
"""The network runs every 125 ms."""
SMOOTHED = 3
"""Scores are averaged over so many inferences; before there are as many, the missing are 0."""
THRESHOLD_PPM = 800_000
"""Average score from which a class is detected, unless ``audio start`` says another."""
REFRACTORY_HOPS = 32
"""Columns after a detection in which there is no other: 1 s, for as long a word is in view."""
BACKGROUND_PREFIX = "_"
"""Classes whose name starts with it (``_silence_``, ``_unknown_``) are never detected."""
MAX_BLOCK_SAMPLES = INPUT_BUFFER_BYTES // 2
"""Most samples of one ``audio`` command: the input buffer, 16 bits each."""

LISTENER_BYTES = (
    4 * FRAME_SAMPLES + 2 * FRAME_SAMPLES + 2 * PICTURE_BYTES + 4 * SMOOTHED * MAX_CLASSES + 24
)
"""RAM of a listener: work of the front end, samples, columns, scores, counters."""

NUMBERS = (
    *("RATE_HZ", "FRAME_SAMPLES", "HOP_SAMPLES", "BANDS", "COLUMNS", "PICTURE_BYTES"),
    *("PAD_SAMPLES", "SINE_FRACTION_BITS", "SAMPLE_FRACTION_BITS", "POWER_SHIFT"),
    *("LOG_FRACTION_BITS", "LOG_INDEX_BITS", "LOG_TABLE_FRACTION_BITS", "SCALE_FRACTION_BITS"),
    *("FIRST_BIN", "LOG_FLOOR", "LOG_RANGE", "SCALE", "HOPS_PER_INFERENCE", "SMOOTHED"),
    *("THRESHOLD_PPM", "REFRACTORY_HOPS", "MAX_BLOCK_SAMPLES", "LISTENER_BYTES"),
)
TABLES = ("SINE", "SLOPE_STARTS", "WEIGHTS", "LEAST_SUMS", "LOG_AREAS", "LOG_TABLE")
"""What the C header has of this module, each as ``RBNN_AUDIO_<name>``."""
