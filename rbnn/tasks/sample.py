"""From one file to the network's input (``rbnn infer``), or to what a device hears of it."""

from __future__ import annotations

from pathlib import Path, PurePath

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
    return named_kind(str(path))


def named_kind(name: str) -> Kind:
    """Whether a file of this name is a picture or a sound.

    Raises:
        TaskError: neither.
    """
    try:
        return kind_of(PurePath(name).name, name)
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
    _check_channels(channels)
    sample_kind(path)
    return decode_sample(_read(path), str(path), channels)


def decode_sample(raw: bytes, name: str, channels: int) -> Images:
    """:func:`load_sample` for a file that has been read.

    Args:
        raw: the whole file.
        name: the file's; for messages, too.
        channels: channels of the task's own input.
    """
    _check_channels(channels)
    kind = named_kind(name)
    check_size(len(raw), name)
    if kind == "audio" and channels == 3:
        raise TaskError(
            f"{name} is a sound, but this task expects colour pictures.",
            "Switch to an audio task, or name a picture.",
        )
    if not raw:
        raise TaskError(f"{name} is empty.", NAME_ONE)
    image = decode(raw, PurePath(name).name, name)
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
    check_size(len(raw), str(path))
    return raw


def check_size(size: int, name: str) -> None:
    """Refuse what is larger than any sample needs to be.

    Raises:
        TaskError: more than ``MAX_FILE_BYTES``.
    """
    if size > MAX_FILE_BYTES:
        raise TaskError(
            f"{name} is larger than {MAX_FILE_BYTES // 2**20} MiB.", "Shorten or scale it down."
        )


def _check_channels(channels: int) -> None:
    if channels not in (1, 3):
        raise ValueError(f"A task's input has 1 or 3 channels. Received: {channels}")
