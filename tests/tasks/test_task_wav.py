"""WAV files of every coding, width and header: decoded, or refused with the reason."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from small_sets import tone, wav_bytes

from rbnn.spec.audio import CLIP_SAMPLES
from rbnn.tasks import TaskError
from rbnn.tasks.wav import CODINGS, decode_wav, read_wav

WHERE = "set/train/a/x.wav"
SOUND = tone(1000, 0.25)
MICROSOFT = bytes.fromhex("000000001000800000aa00389b71")
AMBISONIC = bytes.fromhex("00002107d3118644c8c1ca000000")


def _file(body: bytes, *chunks: tuple[bytes, bytes], name: bytes = b"RIFF") -> bytes:
    """A WAV file of chunks, with ``body`` as its sound."""
    parts = [*chunks, (b"data", body)]
    inside = b"".join(
        title + struct.pack("<I", len(raw)) + raw + bytes(len(raw) % 2) for title, raw in parts
    )
    return name + struct.pack("<I", 4 + len(inside)) + b"WAVE" + inside


def _format(
    code: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16, width: int | None = None
) -> bytes:
    frame = channels * (-(-bits // 8) if width is None else width)
    return struct.pack("<HHIIHH", code, channels, rate, rate * frame % 2**32, frame, bits)


def _extensible(code: int, bits: int, valid: int, tail: bytes = MICROSOFT) -> bytes:
    return (
        _format(0xFFFE, bits=bits)
        + struct.pack("<HHI", 22, valid, 4)
        + struct.pack("<H", code)
        + tail
    )


def _pcm(bits: int, width: int) -> bytes:
    """``SOUND`` in ``bits`` bits, at the top of containers of ``width`` bytes."""
    if width == 1:
        steps = np.rint(SOUND * 2.0 ** (bits - 1)).astype(np.int64) << (8 - bits)
        return (steps + 128).astype(np.uint8).tobytes()
    steps = np.rint(SOUND * 2.0 ** (bits - 1)).astype(np.int64) << (8 * width - bits)
    return steps.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


PCM = [(bits, width) for width in (1, 2, 3, 4) for bits in range(2, 8 * width + 1)] + [(64, 8)]


@pytest.mark.parametrize(("bits", "width"), PCM)
def test_pcm_of_every_width_in_every_container(bits: int, width: int) -> None:
    sound = decode_wav(_file(_pcm(bits, width), (b"fmt ", _format(bits=bits, width=width))), WHERE)
    assert np.abs(sound - SOUND).max() <= 2.0 ** (1 - bits)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("extensible", [False, True])
def test_floating_point(bits: int, extensible: bool) -> None:
    header = _extensible(3, bits, bits) if extensible else _format(3, bits=bits)
    body = SOUND.astype(f"<f{bits // 8}").tobytes()
    assert np.abs(decode_wav(_file(body, (b"fmt ", header)), WHERE) - SOUND).max() < 1e-6


@pytest.mark.parametrize(("bits", "valid"), [(8, 8), (16, 16), (16, 12), (24, 20), (32, 24)])
@pytest.mark.parametrize("tail", [MICROSOFT, AMBISONIC])
def test_extensible_pcm(bits: int, valid: int, tail: bytes) -> None:
    raw = _file(_pcm(valid, bits // 8), (b"fmt ", _extensible(1, bits, valid, tail)))
    assert np.abs(decode_wav(raw, WHERE) - SOUND).max() <= 2.0 ** (1 - valid)


BODY = _pcm(16, 2)
HEADER = (b"fmt ", _format())


@pytest.mark.parametrize(
    "size", [0, 0x7FFF_0000, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFDB, 0xFFFF_FFFF]
)
@pytest.mark.parametrize("whole", ["none", "headers only", "the same"])
def test_sound_that_was_written_to_a_pipe_goes_to_the_end(size: int, whole: str) -> None:
    raw = bytearray(_file(BODY, HEADER))
    struct.pack_into("<I", raw, raw.index(b"data") + 4, size)
    filled = {"none": 0, "headers only": 36, "the same": size}[whole]
    struct.pack_into("<I", raw, 4, filled)
    assert np.abs(decode_wav(bytes(raw), WHERE) - SOUND).max() < 1e-4


def test_a_finished_file_without_sound_is_not_filled_from_later_chunks() -> None:
    raw = bytearray(_file(b"", HEADER) + b"LIST" + struct.pack("<I", 4) + b"INFO")
    struct.pack_into("<I", raw, 4, len(raw) - 8)
    with pytest.raises(TaskError, match="no sound"):
        decode_wav(bytes(raw), WHERE)


def test_chunks_around_the_sound_are_skipped() -> None:
    raw = _file(BODY, (b"JUNK", bytes(27)), HEADER, (b"fact", bytes(4)), (b"LIST", b"INFOabc"))
    later = raw + b"id3 " + struct.pack("<I", 10) + bytes(10)
    for each in (raw, later):
        assert len(decode_wav(each, WHERE)) == len(SOUND)


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
@pytest.mark.parametrize("size", [len(BODY), 0])
def test_the_64_bit_forms(name: bytes, size: int) -> None:
    sizes = (b"ds64", struct.pack("<QQQI", 0, size, 0, 0))
    raw = bytearray(_file(BODY, sizes, HEADER, name=name))
    later = b"LIST" + struct.pack("<I", 4) + b"INFO" if size else b""
    struct.pack_into("<I", raw, 4, 0xFFFF_FFFF)
    struct.pack_into("<I", raw, raw.index(b"data") + 4, 0xFFFF_FFFF)
    assert len(decode_wav(bytes(raw) + later, WHERE)) == len(SOUND)


def test_a_last_frame_that_is_not_whole_is_dropped() -> None:
    raw = _file(BODY + b"\x01", HEADER)
    assert len(decode_wav(raw, WHERE)) == len(SOUND)


@pytest.mark.parametrize("code", [*CODINGS, 0x1234, 0])
def test_codings_that_are_not_supported_are_named(code: int) -> None:
    block = 1024  # of compressed codings: many samples
    header = struct.pack("<HHIIHHHH", code, 1, 16_000, 8_110, block, 4, 2, 2041)
    with pytest.raises(TaskError, match=f"coding .*0x{code:04X}.* not supported") as caught:
        read_wav(_file(bytes(block), (b"fmt ", header)), WHERE)
    assert CODINGS.get(code, "") in caught.value.what
    assert "ffmpeg -i" in caught.value.fix


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused_by_number(bits: int, value: float) -> None:
    pair = np.stack((SOUND, SOUND), axis=1)
    pair[7, 1] = value
    pair[9, 0] = np.nan
    raw = wav_bytes(pair.reshape(-1), code=3, bits=bits, channels=2)
    with pytest.raises(TaskError, match=r"x\.wav has no number at sample 7 of channel 1") as caught:
        read_wav(raw, WHERE)
    assert str(value) in caught.value.what and "1 more" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "not a WAV"),
        (b"ID3 this is an mp3", "not a WAV"),
        (b"RIFF\x04\0\0\0AVI ", "not a WAV"),
        (_file(BODY, HEADER, name=b"RIFX"), "big-endian"),
        (_file(BODY, HEADER)[:-100], "cut off"),
        (_file(BODY, HEADER)[:30], "cut off"),
        (_file(BODY, HEADER)[:36], "no sound in it: there is no data chunk"),
        (_file(BODY), "no fmt chunk"),
        (_file(b"", HEADER), "no sound"),
        (_file(b"\0", HEADER), "no sound"),
        (_file(BODY, (b"fmt ", _format()[:12])), "format has 12 bytes"),
        (_file(BODY, (b"fmt ", _format()[:14])), "format has 14 bytes"),
        (_file(BODY, (b"fmt ", _format(0xFFFE))), "an extensible format has 40 bytes"),
        (_file(BODY, (b"fmt ", _extensible(1, 16, 16, bytes(14)))), "coding 0100"),
        (_file(BODY, (b"fmt ", _extensible(6, 8, 8))), "A-law"),
        (_file(BODY, (b"fmt ", _format(3, bits=16))), "floating-point samples of 16 bits"),
        (_file(BODY, (b"fmt ", _format(bits=40))), "PCM samples of 5 bytes"),
        (_file(BODY, (b"fmt ", _format(rate=0))), "0 Hz; the range is 4,000 to 384,000 Hz"),
        (_file(BODY, (b"fmt ", _format(rate=1_600))), "rate of 1,600 Hz; the range is 4,000"),
        (_file(BODY, (b"fmt ", _format(rate=4_000_000_000))), "4,000,000,000 Hz; the range"),
        (_file(BODY, (b"fmt ", _format(channels=0))), "0 channels; the range is 1 to 32"),
        (_file(BODY, (b"fmt ", _format(channels=33))), "33 channels; the range is 1 to 32"),
        (_file(BODY, (b"fmt ", _format(bits=24, width=2))), "24 bits in frames of 2 bytes"),
        (_file(BODY, (b"fmt ", _format(width=0))), "16 bits in frames of 0 bytes"),
        (_file(BODY, (b"fmt ", _format(bits=0, width=2))), "0 bits in frames of 2 bytes"),
    ],
)
def test_unusable_files_are_refused_with_the_reason(raw: bytes, what: str) -> None:
    with pytest.raises(TaskError) as caught:
        read_wav(raw, WHERE)
    assert WHERE in caught.value.what
    assert what in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("rate", [4_000, 384_000])
def test_the_ends_of_the_range_of_rates(rate: int) -> None:
    sound = read_wav(wav_bytes(tone(1000, rate=rate), rate), WHERE)
    assert len(sound) == CLIP_SAMPLES
