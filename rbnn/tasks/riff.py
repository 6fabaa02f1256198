"""The chunks of a WAV file, with the sizes that writers of streams put in headers."""

from __future__ import annotations

import struct

from rbnn.tasks.errors import TaskError

LENGTH_UNKNOWN = 0x7FFF_0000
"""A size of this or more was written before its writer knew the length: the chunk holds everything
that follows."""
CONVERT = "Convert it: ffmpeg -i FILE -ac 1 -ar 16000 -c:a pcm_s16le NEW.wav"
AGAIN = "Copy or record the file again."


def read_chunks(raw: bytes, where: str) -> dict[bytes, bytes]:
    """The chunks up to and including the sound, by name.

    A ``data`` chunk of size 0 is empty only if the size of the whole file was filled in. A recorder
    that was stopped, or wrote to a pipe, leaves both: then the sound is all that follows.

    Args:
        raw: the whole file.
        where: its name for error messages.

    Raises:
        TaskError: not a WAV file, cut off, or without sound.
    """
    if raw[:4] == b"RIFX":
        raise TaskError(f"{where} is a big-endian WAV file, which is not supported.", CONVERT)
    if len(raw) < 12 or raw[:4] not in (b"RIFF", b"RF64", b"BW64") or raw[8:12] != b"WAVE":
        raise TaskError(f"{where} is not a WAV file.", CONVERT)
    chunks: dict[bytes, bytes] = {}
    position = 12
    while position + 8 <= len(raw) and b"data" not in chunks:
        name, size = struct.unpack_from("<4sI", raw, position)
        if name == b"data":
            size = _sound_size(raw, size, chunks.get(b"ds64", b""), position + 8)
        body = raw[position + 8 : position + 8 + size]
        if len(body) < size:
            raise TaskError(
                f"{where} is cut off: a chunk of {size} bytes has only {len(body)}.", AGAIN
            )
        chunks.setdefault(name, body)
        position += 8 + size + size % 2
    if b"data" not in chunks:
        raise TaskError(f"{where} has no sound in it: there is no data chunk.", AGAIN)
    if b"fmt " not in chunks:
        raise TaskError(f"{where} has no fmt chunk before its sound.", AGAIN)
    return chunks


def _sound_size(raw: bytes, size: int, large_sizes: bytes, start: int) -> int:
    """Size of the data chunk that begins at ``start``; its header says ``size``."""
    whole = struct.unpack_from("<I", raw, 4)[0] + 8
    if size == 0xFFFF_FFFF and len(large_sizes) >= 16:
        size = struct.unpack_from("<Q", large_sizes, 8)[0]
    was_finished = size > 0 or len(raw) <= whole < LENGTH_UNKNOWN
    return size if size < LENGTH_UNKNOWN and was_finished else len(raw) - start
