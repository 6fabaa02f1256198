"""From WAV bytes to mono samples at 16 kHz."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rbnn.spec.audio import CLIP_SAMPLES, RATE_HZ
from rbnn.tasks.audio import Samples, loudest_part
from rbnn.tasks.errors import TaskError
from rbnn.tasks.resample import resample
from rbnn.tasks.riff import AGAIN, CONVERT, read_chunks

PCM, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
CODINGS = {
    0x0002: "Microsoft ADPCM",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0014: "G.723 ADPCM",
    0x0031: "GSM 6.10",
    0x0040: "G.721 ADPCM",
    0x0050: "MPEG",
    0x0055: "MP3",
    0x0064: "G.726 ADPCM",
    0x0092: "AC-3",
    0x00FF: "AAC",
    0x0161: "Windows Media Audio",
    0x1610: "AAC",
    0x2000: "AC-3",
    0x704F: "Opus",
    0xF1AC: "FLAC",
}
"""Names of codings that are not decoded."""
GUID_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    bytes.fromhex("00002107d3118644c8c1ca000000"),
)
"""What follows the coding in an extensible header: Microsoft's, and that of ambisonic sound."""
PCM_BYTES = (1, 2, 3, 4, 8)
FLOAT_BYTES = (4, 8)
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 32
LARGEST_DOWN = 10_000
"""Largest number by which a rate is divided in resampling."""


@dataclass(frozen=True)
class Format:
    """What the samples of a file are.

    Args:
        coding: ``PCM`` or ``FLOAT``.
        channels: samples of a frame.
        rate: frames per second.
        width: bytes of a sample. PCM of fewer bits fills them from the top, as the format demands.
    """

    coding: int
    channels: int
    rate: int
    width: int


def _read_format(header: bytes, where: str) -> Format:
    if len(header) < 14:
        raise TaskError(f"{where} has a damaged header: its format has {len(header)} bytes.", AGAIN)
    coding, channels, rate, _, frame = struct.unpack_from("<HHIIH", header)
    if coding == EXTENSIBLE:
        coding = _extended_coding(header, where)
    if coding not in (PCM, FLOAT):
        number = f"0x{coding:04X}"
        name = f"{CODINGS[coding]} ({number})" if coding in CODINGS else number
        raise TaskError(f"{where} has the coding {name}, which is not supported.", CONVERT)
    if len(header) < 16:
        raise TaskError(f"{where} has a damaged header: its format has {len(header)} bytes.", AGAIN)
    (bits,) = struct.unpack_from("<H", header, 14)
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise TaskError(
            f"{where} has a sampling rate of {rate:,} Hz; the range is {MIN_RATE_HZ:,} to "
            f"{MAX_RATE_HZ:,} Hz.",
            CONVERT,
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise TaskError(
            f"{where} has {channels} channels; the range is 1 to {MAX_CHANNELS}.", CONVERT
        )
    width = frame // channels
    if width * channels != frame or not 1 <= bits <= 8 * width:
        raise TaskError(
            f"{where} has a damaged header: {channels} x {bits} bits in frames of {frame} bytes.",
            AGAIN,
        )
    if coding == FLOAT and (width not in FLOAT_BYTES or bits != 8 * width):
        raise TaskError(
            f"{where} has floating-point samples of {bits} bits; only 32 and 64 are supported.",
            CONVERT,
        )
    if width not in PCM_BYTES:
        raise TaskError(
            f"{where} has PCM samples of {width} bytes; only 1, 2, 3, 4 and 8 are supported.",
            CONVERT,
        )
    return Format(coding, channels, rate, width)


def _extended_coding(header: bytes, where: str) -> int:
    if len(header) < 40:
        raise TaskError(
            f"{where} has a damaged header: an extensible format has 40 bytes, this one "
            f"{len(header)}.",
            AGAIN,
        )
    if header[26:40] not in GUID_TAILS:
        raise TaskError(
            f"{where} has the coding {header[24:40].hex()}, which is not supported.", CONVERT
        )
    return int.from_bytes(header[24:26], "little")


def _decode(data: bytes, form: Format) -> Samples:
    """All samples, interleaved, as float64; integers in -1..1."""
    if form.coding == FLOAT:
        return np.frombuffer(data, f"<f{form.width}").astype(np.float64)
    if form.width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
    if form.width == 3:
        triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(triples), 4), np.uint8)
        wide[:, 1:] = triples
        return wide.reshape(-1).view("<i4") / 2.0**31
    return np.frombuffer(data, f"<i{form.width}") / 2.0 ** (8 * form.width - 1)


def _check_finite(samples: Samples, channels: int, where: str) -> None:
    unusable = np.flatnonzero(~np.isfinite(samples))
    if len(unusable):
        number, channel = divmod(int(unusable[0]), channels)
        value = samples[unusable[0]]
        of_channel = f" of channel {channel}" if channels > 1 else ""
        more = f", and {len(unusable) - 1} more like it" if len(unusable) > 1 else ""
        raise TaskError(
            f"{where} has no number at sample {number}{of_channel}: it is {value}{more}.",
            "Correct what wrote the file and write it again, or delete it.",
        )


def _parse(raw: bytes, where: str) -> tuple[Samples, int]:
    chunks = read_chunks(raw, where)
    form = _read_format(chunks[b"fmt "], where)
    frame = form.channels * form.width
    data = chunks[b"data"]
    samples = _decode(data[: len(data) // frame * frame], form)
    if len(samples) == 0:
        raise TaskError(f"{where} has no sound in it.", "Record the file again, or delete it.")
    _check_finite(samples, form.channels, where)
    return np.clip(samples, -1.0, 1.0).reshape(-1, form.channels).mean(axis=1), form.rate


def _resample(mono: Samples, rate: int) -> Samples:
    if rate == RATE_HZ:
        return mono
    # Of rates that share few factors with 16 kHz, a ratio within 0.005 %: the filter has twenty
    # times as many coefficients as the larger of its two numbers.
    ratio = Fraction(RATE_HZ, rate).limit_denominator(LARGEST_DOWN)
    return resample(mono, ratio.numerator, ratio.denominator)


def decode_wav(raw: bytes, where: str) -> Samples:
    """Decode a WAV file of any rate, width and number of channels.

    Args:
        raw: the whole file.
        where: its name for error messages.

    Returns:
        Mono float64 samples in about -1..1 at 16 kHz, of any length.

    Raises:
        TaskError: not a WAV file, cut off, empty, outside the limits, with samples that are not
            finite, or encoded as neither plain PCM nor float.
    """
    return _resample(*_parse(raw, where))


def read_wav(raw: bytes, where: str) -> Samples:
    """Decode a clip like :func:`decode_wav`, but keep only the loudest second of a longer one.

    Args:
        raw: the whole file.
        where: its name for error messages.

    Returns:
        Mono float64 samples in about -1..1 at 16 kHz, at most 16,000 of them.

    Raises:
        TaskError: as :func:`decode_wav`.
    """
    mono, rate = _parse(raw, where)
    if len(mono) > rate:
        mono = loudest_part(mono, rate, max(rate // 100, 1))
    return _resample(mono, rate)[:CLIP_SAMPLES]
