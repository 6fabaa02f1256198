"""Test samples as the MLPerf Tiny runner reads them.

::

    DIR/ic01/y_labels.csv      a line for each sample: its file, how many classes there are, its own
    DIR/ic01/cifar-00042.bin   rows of pixels, each pixel's channels together, one byte a value
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rbnn.device.evaluation import pick
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.spec.link import BENCHMARKS, Benchmark
from rbnn.tasks import TaskData
from rbnn.tasks.names import usual_benchmark

LABELS_FILE = "y_labels.csv"


class Dataset(Frozen):
    """Samples that were written for the runner."""

    task: str
    benchmark: str
    folder: Path
    samples: int
    classes: int


def choose_benchmarks(
    tasks: list[str], chosen: Mapping[str, Benchmark]
) -> dict[str, tuple[str, Benchmark]]:
    """Which benchmark each task stands for.

    Args:
        tasks: their names.
        chosen: by the user, by task; other tasks stand for what is usual.

    Returns:
        Task and benchmark by the benchmark's name.

    Raises:
        RbnnError: a task stands for none, two for the same, or ``chosen`` names no task.
    """
    if unknown := sorted(set(chosen) - set(tasks)):
        raise RbnnError(
            f"--benchmark names {unknown[0]!r}, which --tasks does not.",
            f"The tasks are {', '.join(tasks)}.",
        )
    found: dict[str, tuple[str, Benchmark]] = {}
    for task in tasks:
        benchmark = chosen.get(task, usual_benchmark(task))
        if benchmark is Benchmark.NONE:
            raise RbnnError(
                f"Which benchmark task {task} stands for is not known.",
                f"Say it: --benchmark {task}=NAME, NAME one of {', '.join(BENCHMARKS[1:])}.",
            )
        if benchmark.text in found:
            raise RbnnError(
                f"The tasks {found[benchmark.text][0]} and {task} both stand for {benchmark.text}.",
                "Write each into a folder of its own.",
            )
        found[benchmark.text] = (task, benchmark)
    return found


def write_dataset(folder: Path, task: TaskData, benchmark: Benchmark, samples: int) -> Dataset:
    """Write test samples of a task; the list comes last, so that it names only files that exist.

    Args:
        folder: for all benchmarks; this one's gets a folder in it.
        task: its data.
        benchmark: that it stands for.
        samples: how many, a random choice that is the same in every run; 0 for all.

    Raises:
        RbnnError: the choice lacks a class, or the folder cannot be written.
    """
    chosen = pick(len(task.test), samples)
    labels = task.test.labels[chosen]
    if missing := sorted(set(range(len(task.labels))) - set(labels.tolist())):
        raise RbnnError(
            f"The {len(chosen)} samples of task {task.name} have none of class "
            f"{task.labels[missing[0]]!r}; the runner's AUC needs every class.",
            "Take more with --samples, 0 for all." if 0 < samples < len(task.test) else "",
        )
    place = folder / benchmark.text
    rows = []
    for number, label in zip(chosen, labels, strict=True):
        name = f"{task.name}-{number:05}.bin"
        write_atomic(place / name, np.ascontiguousarray(task.test.images[number]).tobytes())
        rows.append((name, len(task.labels), int(label)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_atomic(place / LABELS_FILE, text.getvalue())
    return Dataset(
        task=task.name,
        benchmark=benchmark.text,
        folder=place,
        samples=len(rows),
        classes=len(task.labels),
    )


def check_dataset(folder: Path, benchmark: str, input_bytes: int) -> None:
    """Refuse samples that the board would refuse, which the runner does not explain.

    Args:
        folder: for all benchmarks.
        benchmark: the name of the one to run.
        input_bytes: that the active task takes.

    Raises:
        RbnnError: there is no list, or a file is missing or has another size.
    """
    path = folder / benchmark / LABELS_FILE
    write = f"Write the samples: rbnn bench mlperf-data --out {folder}"
    try:
        rows = list(csv.reader(path.read_text().splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise RbnnError(f"Cannot read {path}, the list of samples.", write) from error
    if not rows:
        raise RbnnError(f"{path} lists no sample.", write)
    for number, row in enumerate(rows, start=1):
        if len(row) < 3:
            raise RbnnError(f"Line {number} of {path} is not FILE,CLASSES,CLASS.", write)
        sample = path.parent / row[0]
        size = sample.stat().st_size if sample.is_file() else None
        if size != input_bytes:
            state = "is missing" if size is None else f"has {size:,} bytes"
            raise RbnnError(
                f"{sample} {state}; the board's active task takes {input_bytes:,} bytes.", write
            )
