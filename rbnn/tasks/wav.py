"""From WAV bytes to mono samples at 16 kHz."""

from __future__ import annotations

import struct

import numpy as np

from rbnn.tasks.audio import CLIP_SAMPLES, RATE_HZ, Samples, loudest_part
from rbnn.tasks.errors import TaskError

EXTENSIBLE = 0xFFFE
LENGTH_UNKNOWN = 0x7FFF_F000
"""A chunk with this size or more was written to a pipe: it holds everything that follows."""
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 32
_CONVERT = "Convert it: ffmpeg -i FILE -ac 1 -ar 16000 -c:a pcm_s16le NEW.wav"


def _chunks(raw: bytes, where: str) -> dict[bytes, bytes]:
    if len(raw) < 12 or raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise TaskError(f"{where} is not a WAV file.", _CONVERT)
    chunks: dict[bytes, bytes] = {}
    position = 12
    while position + 8 <= len(raw) and b"data" not in chunks:
        name, size = struct.unpack_from("<4sI", raw, position)
        body = raw[position + 8 : position + 8 + size]
        if len(body) < size and size < LENGTH_UNKNOWN:
            raise TaskError(
                f"{where} is cut off: a chunk of {size} bytes has only {len(body)}.",
                "Copy or record the file again.",
            )
        chunks.setdefault(name, body)
        position += 8 + size + size % 2
    if b"fmt " not in chunks or b"data" not in chunks:
        raise TaskError(f"{where} has no sound in it.", "Copy or record the file again.")
    return chunks


def _samples(data: bytes, code: int, bits: int, where: str) -> Samples:
    match code, bits:
        case 1, 8:
            return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
        case 1, 16 | 32:
            return np.frombuffer(data, f"<i{bits // 8}") / 2.0 ** (bits - 1)
        case 1, 24:
            triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
            wide = np.zeros((len(triples), 4), np.uint8)
            wide[:, 1:] = triples
            return wide.reshape(-1).view("<i4") / 2.0**31
        case 3, 32 | 64:
            values = np.frombuffer(data, f"<f{bits // 8}").astype(np.float64)
            return np.clip(np.nan_to_num(values, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    raise TaskError(f"{where} has the unsupported format {code} with {bits} bits.", _CONVERT)


def _parse(raw: bytes, where: str) -> tuple[Samples, int]:
    chunks = _chunks(raw, where)
    if len(chunks[b"fmt "]) < 16:
        raise TaskError(f"{where} has a damaged header.", "Copy or record the file again.")
    code, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if code == EXTENSIBLE and len(chunks[b"fmt "]) >= 26:
        (code,) = struct.unpack_from("<H", chunks[b"fmt "], 24)
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ or not 1 <= channels <= MAX_CHANNELS:
        raise TaskError(
            f"{where} claims {rate} samples per second and {channels} channels.", _CONVERT
        )
    if bits % 8 or block == 0 or block != channels * bits // 8:
        raise TaskError(f"{where} has a damaged header.", "Copy or record the file again.")
    data = chunks[b"data"]
    samples = _samples(data[: len(data) // block * block], code, bits, where)
    if len(samples) == 0:
        raise TaskError(f"{where} has no sound in it.", "Record the file again, or delete it.")
    return samples.reshape(-1, channels).mean(axis=1), rate


def _resample(mono: Samples, rate: int) -> Samples:
    if rate == RATE_HZ:
        return mono
    from scipy.signal import resample_poly

    common = int(np.gcd(RATE_HZ, rate))
    return np.asarray(resample_poly(mono, RATE_HZ // common, rate // common))


def decode_wav(raw: bytes, where: str) -> Samples:
    """Decode a WAV file of any rate, width and number of channels.

    Args:
        raw: the whole file.
        where: its name for error messages.

    Returns:
        Mono float64 samples in about -1..1 at 16 kHz, of any length.

    Raises:
        TaskError: not a WAV file, cut off, empty, or encoded as neither plain PCM nor float.
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
