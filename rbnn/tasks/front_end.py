"""The audio front end in integers: from 16-bit samples to log-mel columns, and to a picture.

This is the specification of ``firmware/audio/front_end.c``, which equals it in every bit, and what
networks are trained with. Of every frame of 1,024 samples x:

1. Window, periodic Hann: ``(x * (2**15 - cos) + 2**9) >> 10``, cosines with 15 fraction bits.
2. Even and odd samples as real and imaginary parts, in bit-reversed order; nine stages of radix 2,
   decimated in time; each product with a twiddle factor is rounded once, ``(p + 2**14) >> 15``.
3. Twice the spectrum of the real samples, products rounded alike; its power, ``(p + 2**13) >> 14``.
4. Sums over 32 triangles that are evenly spaced in mel; the least power is added.
5. Logarithm to base 2, between 32 places of an octave by a line, less that of the triangle's area;
   10 fraction bits.

The loudest logarithm of 32 columns becomes 255, ``RANGE_DB`` below it becomes 0. If it is below
``FLOOR_DB``, ``FLOOR_DB`` takes its place, so that silence is black. ``>>`` rounds down.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from rbnn.spec import audio

Pcm = npt.NDArray[np.int16]
Columns = npt.NDArray[np.uint16]
Integers = npt.NDArray[np.int64]

VERSION = "log-mel 3"
"""What cached pictures and fingerprints of data depend on. 1 and 2 computed in floating point."""
HALF = audio.FRAME_SAMPLES // 2
FRAMES_AT_ONCE = 2048


@cache
def _cosine() -> Integers:
    """A whole wave of ``FRAME_SAMPLES`` values, 15 fraction bits."""
    quarter = np.array(audio.SINE, np.int64)
    half = np.concatenate((quarter[::-1], -quarter[1:]))
    return np.concatenate((half, half[-2:0:-1]))


def _sine(k: Integers) -> Integers:
    return np.asarray(_cosine()[(k - HALF // 2) % audio.FRAME_SAMPLES])


@cache
def _bit_reversed() -> Integers:
    order = np.zeros(1, np.int64)
    while len(order) < HALF:
        order = np.concatenate((2 * order, 2 * order + 1))
    return order


def _round(products: Integers) -> Integers:
    bits = audio.SINE_FRACTION_BITS
    return np.asarray((products + (1 << (bits - 1))) >> bits)


def _transform(real: Integers, imaginary: Integers) -> None:
    """Fourier transform of (n, 512) values in bit-reversed order, in place."""
    half = 1
    while half < HALF:
        k = np.arange(half) * (HALF // half)
        cosine, sine = _cosine()[k], _sine(k)
        re, im = (part.reshape(len(part), -1, 2, half) for part in (real, imaginary))
        turned_re = _round(re[:, :, 1] * cosine + im[:, :, 1] * sine)
        turned_im = _round(im[:, :, 1] * cosine - re[:, :, 1] * sine)
        re[:, :, 1], im[:, :, 1] = re[:, :, 0] - turned_re, im[:, :, 0] - turned_im
        re[:, :, 0] += turned_re
        im[:, :, 0] += turned_im
        half *= 2


def _powers(real: Integers, imaginary: Integers) -> Integers:
    """Powers of the bins that any triangle has, (n, bins)."""
    k = np.arange(audio.FIRST_BIN, audio.SLOPE_STARTS[-1])
    cosine, sine = _cosine()[k], _sine(k)
    a, d = real[:, k] + real[:, HALF - k], imaginary[:, k] + imaginary[:, HALF - k]
    b, c = imaginary[:, k] - imaginary[:, HALF - k], real[:, k] - real[:, HALF - k]
    re = a + _round(d * cosine - c * sine)
    im = b - _round(d * sine + c * cosine)
    bits = audio.POWER_SHIFT
    return np.asarray((re * re + im * im + (1 << (bits - 1))) >> bits)


def _sums(powers: Integers) -> Integers:
    """Weighted sums of the triangles, the least power added, (n, 32)."""
    rising = powers * np.array(audio.WEIGHTS, np.int64)
    falling = (powers << audio.SINE_FRACTION_BITS) - rising
    starts = np.array(audio.SLOPE_STARTS[:-1]) - audio.FIRST_BIN
    up, down = (np.add.reduceat(part, starts, axis=1) for part in (rising, falling))
    return np.asarray(up[:, :-1] + down[:, 1:] + np.array(audio.LEAST_SUMS, np.int64))


def log2(values: Integers) -> Integers:
    """Logarithms of positive numbers, ``LOG_FRACTION_BITS`` fraction bits."""
    # frexp of the upper half is exact; of all 63 bits, rounding could reach the next power.
    upper = values >> 32
    high = np.frexp(upper.astype(np.float64))[1] + 32
    whole = np.where(upper > 0, high, np.frexp((values & 0xFFFFFFFF).astype(np.float64))[1]) - 1
    # The 32 bits after the leading one.
    mantissa = np.where(whole >= 32, values >> np.maximum(whole - 32, 0), 0) | np.where(
        whole < 32, values << np.maximum(32 - whole, 0), 0
    )
    place = (mantissa >> (32 - audio.LOG_INDEX_BITS)) & ((1 << audio.LOG_INDEX_BITS) - 1)
    rest = (mantissa >> (16 - audio.LOG_INDEX_BITS)) & 0xFFFF
    table = np.array(audio.LOG_TABLE, np.int64)
    fraction = table[place] + (((table[place + 1] - table[place]) * rest) >> 16)
    shift = audio.LOG_TABLE_FRACTION_BITS - audio.LOG_FRACTION_BITS
    result: Integers = (
        (whole.astype(np.int64) << audio.LOG_TABLE_FRACTION_BITS) + fraction + (1 << (shift - 1))
    ) >> shift
    return result


def frame_columns(frames: Pcm) -> Columns:
    """The columns of frames, (n, 1024) to (n, 32): lowest band first."""
    window = (1 << audio.SINE_FRACTION_BITS) - _cosine()
    # A Hann window is half of that; hence one bit more.
    shift = audio.SINE_FRACTION_BITS + 1 - audio.SAMPLE_FRACTION_BITS
    found = np.empty((len(frames), audio.BANDS), np.uint16)
    areas = np.array(audio.LOG_AREAS, np.int64)
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        part = slice(start, start + FRAMES_AT_ONCE)
        windowed = (frames[part].astype(np.int64) * window + (1 << (shift - 1))) >> shift
        real = windowed[:, ::2][:, _bit_reversed()]
        imaginary = windowed[:, 1::2][:, _bit_reversed()]
        _transform(real, imaginary)
        found[part] = log2(_sums(_powers(real, imaginary))) - areas
    return found


def columns(pcm: Pcm) -> Columns:
    """The columns of a recording as a device hears it: with silence before, none after.

    Args:
        pcm: mono, 16 kHz, of any length.

    Returns:
        (n, 32), each column as soon as its frame is complete.
    """
    padded = np.concatenate((np.zeros(audio.PAD_SAMPLES, np.int16), pcm))
    if len(padded) < audio.FRAME_SAMPLES:
        return np.empty((0, audio.BANDS), np.uint16)
    view = np.lib.stride_tricks.sliding_window_view(padded, audio.FRAME_SAMPLES)
    return frame_columns(view[:: audio.HOP_SAMPLES])


def picture(seen: Columns) -> npt.NDArray[np.uint8]:
    """32 columns, earliest first, as the network's input: (32, 32), bands by columns."""
    loudest = max(int(seen.max()), audio.LOG_FLOOR)
    above = np.maximum(seen.astype(np.int64) - loudest + audio.LOG_RANGE, 0)
    bits = audio.SCALE_FRACTION_BITS
    scaled = (above * audio.SCALE + (1 << (bits - 1))) >> bits
    return np.asarray(scaled.T, dtype=np.uint8)


def is_silent(seen: Columns) -> bool:
    """Whether 32 columns have nothing louder than ``FLOOR_DB``."""
    return int(seen.max()) <= audio.LOG_FLOOR


def clip_picture(pcm: Pcm) -> npt.NDArray[np.uint8]:
    """The picture of one second, 16,000 samples: (32, 32)."""
    return picture(columns(np.concatenate((pcm, np.zeros(audio.PAD_SAMPLES, np.int16)))))
