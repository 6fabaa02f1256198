"""From one file to the network's input (``rbnn infer``), or to what a device hears of it."""

from __future__ import annotations

from pathlib import Path

from rbnn.tasks.audio import to_pcm
from rbnn.tasks.dataset import Images, Kind
from rbnn.tasks.errors import TaskError
from rbnn.tasks.files import check_magic, decode, kind_of
from rbnn.tasks.front_end import Pcm
from rbnn.tasks.picture import to_grey
from rbnn.tasks.tree import MAX_FILE_BYTES
from rbnn.tasks.wav import decode_wav

NAME_ONE = "Name a PNG, JPEG or WAV file."


def sample_kind(path: Path) -> Kind:
    """Whether a file is a picture or a sound, by its name.

    Raises:
        TaskError: neither, a folder, or a pipe: nobody may ever write to it.
    """
    if path.exists() and not path.is_file():
        what = "folder" if path.is_dir() else "pipe or a device"
        raise TaskError(f"{path} is a {what}.", NAME_ONE)
    try:
        return kind_of(path.name, str(path))
    except TaskError as error:
        error.fix = NAME_ONE  # the advice for a file in a data set is another
        raise


def load_sample(path: Path, channels: int) -> Images:
    """Read a picture or a sound with the same steps as the data sets.

    Args:
        path: a PNG, JPEG or WAV file.
        channels: channels of the task's own input; 1 turns a coloured picture grey.

    Returns:
        (32, 32, channels) uint8.

    Raises:
        TaskError: missing, unreadable, damaged, or a sound for a task of colour pictures.
    """
    if channels not in (1, 3):
        raise ValueError(f"A task's input has 1 or 3 channels. Received: {channels}")
    where = str(path)
    kind = sample_kind(path)
    raw = _read(path)
    if kind == "audio" and channels == 3:
        raise TaskError(
            f"{path} is a sound, but this task expects colour pictures.",
            "Switch to an audio task, or name a picture.",
        )
    if not raw:
        raise TaskError(f"{path} is empty.", NAME_ONE)
    image = decode(raw, path.name, where)
    return to_grey(image) if kind == "image" and channels == 1 else image


def load_recording(path: Path) -> Pcm:
    """Read a WAV file of any length as a device hears it: mono, 16 kHz, 16 bits.

    Raises:
        TaskError: missing, unreadable, damaged, or no sound.
    """
    if sample_kind(path) != "audio":
        raise TaskError(f"{path} is a picture, not a recording.", "Name a WAV file.")
    raw = _read(path)
    if not raw:
        raise TaskError(f"{path} is empty.", "Name a WAV file.")
    check_magic(raw, path.name, str(path))
    return to_pcm(decode_wav(raw, str(path)))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TaskError(f"Cannot read {path}: {error.strerror}.", NAME_ONE) from error
    if len(raw) > MAX_FILE_BYTES:
        raise TaskError(
            f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB.", "Shorten or scale it down."
        )
    return raw
