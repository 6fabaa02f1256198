"""From one file to the network's input (``rbnn infer``), or to what a device hears of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from rbnn.arguments import COUNT, PATH, require, shown
from rbnn.spec.layout import MAX_INPUT_BYTES
from rbnn.spec.series import Series
from rbnn.tasks.audio import to_pcm
from rbnn.tasks.dataset import Images, Kind
from rbnn.tasks.errors import TaskError
from rbnn.tasks.files import check_magic, decode, kind_of
from rbnn.tasks.form import USUAL, Form, Sides, check_input
from rbnn.tasks.front_end import Pcm
from rbnn.tasks.picture import to_grey
from rbnn.tasks.sensors.recordings import read_recording
from rbnn.tasks.sensors.series import check_length, inputs
from rbnn.tasks.tree import MAX_FILE_BYTES
from rbnn.tasks.wav import decode_wav

NAME_ONE = "Name a PNG, JPEG, WAV, CSV or NPY file."


def sample_kind(path: Path) -> Kind:
    """What a file is, by its name and, of a NumPy file, its content.

    Raises:
        TaskError: nothing that is known here, a folder, or a pipe: nobody may ever write to it.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # also of a name that is too long
        what = "folder" if path.is_dir() else "pipe or a device"
        raise TaskError(f"{path} is a {what}.", NAME_ONE)
    return named_kind(str(path), lambda: _read(path))


def named_kind(name: str, read: Callable[[], bytes]) -> Kind:
    """What a file of this name is; ``read`` gives the content, which is asked for of a NumPy file.

    Raises:
        TaskError: nothing that is known here.
    """
    try:
        return kind_of(PurePath(name).name, name, read)
    except TaskError as error:
        error.fix = NAME_ONE  # the advice for a file in a data set is another
        raise


def load_samples(path: Path, shape: tuple[int, int, int], series: Series | None = None) -> Images:
    """The inputs that a file makes: one, or as many as a recording of sensors has windows.

    Args:
        path: a PNG, JPEG, WAV, CSV or NPY file.
        shape: height, width, channels of the task's own input.
        series: how windows become inputs; None for a task of another kind.

    Returns:
        (n, height, width, channels) uint8.

    Raises:
        TaskError: see :func:`load_sample`; or a series that the task does not take.
    """
    sample_kind(path)
    return decode_samples(_read(path), str(path), shape, series)


def decode_samples(
    raw: bytes, name: str, shape: tuple[int, int, int], series: Series | None = None
) -> Images:
    """:func:`load_samples` for a file that has been read.

    Args:
        raw: the whole file.
        name: the file's; for messages, too.
        shape: height, width, channels of the task's own input.
        series: how windows become inputs; None for a task of another kind.
    """
    if named_kind(name, lambda: raw) != "series":
        return decode_sample(raw, name, shape[2], shape[:2])[None]
    check_size(len(raw), name)
    if series is None:
        raise TaskError(
            f"{name} is a sensor series, but this task takes none.",
            "Switch to a task of sensor series.",
        )
    values, _ = read_recording(raw, PurePath(name).name, name)
    if values.shape[1] != series.channels:
        raise TaskError(
            f"{name} has {values.shape[1]} channels; the task takes {series.channels}.",
            "Give it the channels that it was trained with, in the same order.",
        )
    check_length(values, series.window, name)
    return inputs(series, values, shape)


def load_sample(path: Path | str, channels: int, sides: Sides = USUAL) -> Images:
    """Read a picture, a sound or a tensor with the same steps as the data sets.

    Args:
        path: a PNG, JPEG, WAV or NPY file.
        channels: of the task's own input; one turns a coloured picture grey.
        sides: height and width of the input.

    Returns:
        (height, width, channels) uint8.

    Raises:
        RbnnError: the file is missing, unreadable, damaged, or of another number of channels, as a
            sound for a task of colour pictures; or an argument is of no use.
    """
    require("path", path, PATH)
    wanted = check_wanted(sides, channels)
    path = Path(path)
    if sample_kind(path) == "series":
        raise TaskError(
            f"{path} is a sensor series: how its windows become inputs is the task's.",
            "Give it to a board, which knows the task: board.infer_files([file]), rbnn infer FILE.",
        )
    return decode_sample(_read(path), str(path), wanted[2], wanted[:2])


def check_wanted(sides: object, channels: object) -> tuple[int, int, int]:
    """Height, width and channels of an input that a caller asks for, checked as ``--input`` is.

    Raises:
        TaskError: they are no shape, or one that no container has.
    """
    numbers: list[Any] = [*(sides if isinstance(sides, tuple | list) else ()), channels]
    good = all(COUNT.holds(one) and 0 < one <= MAX_INPUT_BYTES for one in numbers)
    if len(numbers) != 3 or not good:
        raise TaskError(
            "An input has whole numbers above 0 as height, width and channels, at most "
            f"{MAX_INPUT_BYTES:,} bytes in all. Received: sides={shown(sides)}, "
            f"channels={shown(channels)}.",
            "For example: sides=(96, 96), channels=3",
        )
    height, width, depth = map(int, numbers)
    check_input((height, width, depth))
    return height, width, depth


def decode_sample(raw: bytes, name: str, channels: int, sides: Sides = USUAL) -> Images:
    """:func:`load_sample` for a file that has been read.

    Args:
        raw: the whole file.
        name: the file's; for messages, too.
        channels: channels of the task's own input.
        sides: height and width of the input.
    """
    kind = named_kind(name, lambda: raw)
    check_size(len(raw), name)
    if kind == "audio" and channels > 1:
        raise TaskError(
            f"{name} is a sound, but this task expects "
            f"{'colour pictures' if channels == 3 else f'inputs of {channels} channels'}.",
            "Switch to an audio task, or name a file of the right kind.",
        )
    if kind == "image" and channels not in (1, 3):
        raise TaskError(
            f"{name} is a picture, but this task takes inputs of {channels} channels.",
            "Name a file of the kind that it was trained with.",
        )
    if not raw:
        raise TaskError(f"{name} is empty.", NAME_ONE)
    image = decode(raw, PurePath(name).name, name, Form(*sides, channels))
    return to_grey(image) if kind == "image" and channels == 1 else image


def load_recording(path: Path) -> Pcm:
    """Read a WAV file of any length as a device hears it: mono, 16 kHz, 16 bits.

    Raises:
        TaskError: missing, unreadable, damaged, or no sound.
    """
    if (kind := sample_kind(path)) != "audio":
        what = "picture" if kind == "image" else kind
        raise TaskError(f"{path} is a {what}, not a sound.", "Name a WAV file.")
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
