"""A data set of sensor series: every recording is cut into windows of its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rbnn.spec.series import Series
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Split
from rbnn.tasks.errors import TaskError, raise_all
from rbnn.tasks.form import Form
from rbnn.tasks.sensors.arrays import array_kind, read_array
from rbnn.tasks.sensors.series import (
    Values,
    as_values,
    check_length,
    inputs,
    measure,
    read_csv,
    window_of,
)
from rbnn.tasks.tree import Tree

Progress = Callable[[str, int, int], None]


def read_recording(raw: bytes, name: str, where: str) -> tuple[Values, str]:
    """One recording, and what its values are in the file: ``text`` or a NumPy type.

    Raises:
        TaskError: it is damaged, or no series.
    """
    if not name.lower().endswith(".npy"):
        return read_csv(raw, where), "text"
    array = read_array(raw, where)
    if array_kind(array, where) != "series":
        raise TaskError(
            f"{where} holds {array.dtype} values of shape {array.shape}, no sensor series.",
            "Save a series as time x channels; keep tensors in a task of their own.",
        )
    return as_values(array, where), str(array.dtype)


def read_series(
    tree: Tree,
    labels: tuple[str, ...],
    ordered: Mapping[str, Sequence[tuple[int, str]]],
    form: Form,
    progress: Progress | None,
) -> Decoded:
    """Read a whole set of series.

    Args:
        tree: the opened folder or zip.
        labels: class names.
        ordered: class number and name of each file, by part.
        form: what the samples become.
        progress: called as ``progress("reading <path>", done, total)``.

    Raises:
        TaskError: names what is wrong with which files, and how to fix it.
    """
    recordings: dict[str, Values] = {}
    first: tuple[str, int, str] | None = None  # name, channels, type of values
    window = 0
    faults = []
    total = sum(len(files) for files in ordered.values())
    for name in (name for files in ordered.values() for _, name in files):
        where = tree.where(name)
        try:
            values, stored = read_recording(tree.read(name), name, where)
            if first is None:
                window, hop, shape = window_of(form, values.shape[1], tree.path)
                first = (where, values.shape[1], stored)
            if values.shape[1] != first[1]:
                raise TaskError(
                    f"{where} has {values.shape[1]} channels; {first[0]} has {first[1]}.",
                    "Give every recording the same channels, in the same order.",
                )
            if stored != first[2]:
                raise TaskError(
                    f"{where} holds {stored} values; {first[0]} holds {first[2]}.",
                    "Save all recordings of a set with values of one type.",
                )
            check_length(values, window, where)
            recordings[name] = values
        except TaskError as fault:
            faults.append(fault)
            if first is None:
                break  # the others cannot be judged
        if progress is not None:
            progress(f"reading {tree.path.name}", len(recordings), total)
    raise_all(faults, tree.path)
    means, factors = measure([recordings[name] for _, name in ordered["train"]])
    series = Series(window, hop, means, factors)

    def split(part: str) -> Split:
        images = [inputs(series, recordings[name], shape) for _, name in ordered[part]]
        numbers = [label for label, _ in ordered[part]]
        counts = [len(one) for one in images]
        return Split(np.concatenate(images), np.repeat(np.array(numbers, np.int64), counts))

    return Decoded(labels, split("train"), split("test"), "series", series)
