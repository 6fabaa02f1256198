"""Files in, labels out: the active task of a board applied to pictures and sounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from rbnn.device.session import Session
from rbnn.frozen import Frozen
from rbnn.tasks.sample import load_sample

SHOWN_SCORES = 3


class LabelScore(Frozen):
    """One class and its score in 0..1."""

    label: str
    score: float


class FileInference(Frozen):
    """The board's result for one file."""

    file: str
    label: str
    scores: tuple[LabelScore, ...]
    """Best first."""
    us: float
    """Microseconds of the inference."""


def infer_files(session: Session, files: Sequence[Path]) -> list[FileInference]:
    """Run the active task on files.

    Args:
        session: a board with an active task.
        files: PNG, JPEG or WAV. All are read before the first is sent.

    Raises:
        DeviceError: no task is active.
        TaskError: a file is missing or cannot be read.
    """
    task = session.active_task()
    samples = [load_sample(file, task.input_shape[2]) for file in files]
    found = []
    for file, sample in zip(files, samples, strict=True):
        inference = session.infer(sample.tobytes())
        ranked = sorted(zip(task.labels, inference.scores, strict=True), key=lambda pair: -pair[1])
        found.append(
            FileInference(
                file=str(file),
                label=task.labels[inference.best],
                scores=tuple(LabelScore(label=label, score=score) for label, score in ranked),
                us=inference.us,
            )
        )
    return found


def table(found: Sequence[FileInference]) -> Table:
    """The results as a table: the best scores of each file."""
    result = Table("file", "label", "scores", "time")
    for one in found:
        scores = ", ".join(f"{s.label} {s.score:.1%}" for s in one.scores[:SHOWN_SCORES])
        result.add_row(one.file, one.label, scores, f"{one.us / 1000:.1f} ms")
    return result
