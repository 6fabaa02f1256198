"""A task of a run on its test set: accuracy, confusion, and samples to look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from rbnn.report.figures import ClassFigures, Guess, MixUp, Results, Sample
from rbnn.report.scorer import Scorer
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Labels
from rbnn.tasks.thumbnail import picture_uri
from rbnn.train.evaluate import WrongSecrets, chance_of

MIX_UPS = 8
"""Length of the list of pairs of classes that are confused most often."""
GUESSES = 3
Counts = npt.NDArray[np.int64]


def measure(
    scorer: Scorer, task: TaskData, samples: int, seed: int, wrong_secrets: WrongSecrets | None
) -> Results:
    """Classify a task's test set.

    Args:
        scorer: of the run.
        task: its data.
        samples: how many correctly classified samples to show, and as many misclassified ones.
        seed: for drawing them.
        wrong_secrets: what they reached, if they were tried.

    Raises:
        RbnnError: the engine cannot run the task.
    """
    truth = task.test.labels
    found = scorer.classes(task.name, task.test.images)
    confusion = count_confusion(truth, found, len(task.labels))
    hits = int(np.trace(confusion))
    interval = binomtest(hits, len(truth)).proportion_ci(method="wilson")
    rng = np.random.default_rng(seed)
    right, wrong = (
        _samples(scorer, task, choose(truth, np.flatnonzero(chosen), samples, rng))
        for chosen in (found == truth, found != truth)
    )
    return Results(
        accuracy=hits / len(truth),
        interval=(float(interval.low), float(interval.high)),
        chance=chance_of(task.test, len(task.labels)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        classes=_classes(task, confusion),
        mix_ups=mix_ups(task.labels, confusion),
        right=right,
        wrong=wrong,
        wrong_secrets=wrong_secrets,
    )


def count_confusion(truth: Labels, found: Labels, classes: int) -> Counts:
    """How often each class was taken for each, (classes, classes) int64; rows are true classes."""
    cells = np.bincount(truth * classes + found, minlength=classes * classes)
    return np.asarray(cells.reshape(classes, classes), np.int64)


def mix_ups(labels: tuple[str, ...], confusion: Counts) -> tuple[MixUp, ...]:
    """The most frequent errors, at most ``MIX_UPS``; ties in the order of the classes."""
    errors = confusion.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:MIX_UPS]
    pairs = [divmod(int(cell), len(labels)) for cell in order]
    return tuple(
        MixUp(
            truth=labels[i],
            found=labels[j],
            count=int(errors[i, j]),
            share=float(errors[i, j] / confusion[i].sum()),
        )
        for i, j in pairs
        if errors[i, j]
    )


def choose(truth: Labels, numbers: Labels, count: int, rng: np.random.Generator) -> list[int]:
    """Draw samples at random, one of each class before a class comes twice.

    Args:
        truth: class numbers of the test set.
        numbers: samples to draw from.
        count: how many to draw; fewer if there are not enough.
        rng: draws them.

    Returns:
        Their numbers, in the order of their classes.
    """
    drawn = rng.permutation(numbers)
    turns: dict[int, int] = {}
    ranked = []
    for place, number in enumerate(drawn.tolist()):
        kind = int(truth[number])
        turns[kind] = turns.get(kind, 0) + 1
        ranked.append((turns[kind], place, number))
    chosen = [number for _, _, number in sorted(ranked)[:count]]
    return sorted(chosen, key=lambda number: (int(truth[number]), number))


def _samples(scorer: Scorer, task: TaskData, numbers: list[int]) -> tuple[Sample, ...]:
    if not numbers:
        return ()
    images = task.test.images[numbers]
    rows = scorer.probabilities(task.name, images)
    return tuple(
        Sample(
            number=number,
            truth=task.labels[task.test.labels[number]],
            guesses=tuple(
                Guess(label=task.labels[kind], probability=float(row[kind]))
                for kind in np.argsort(-row, kind="stable")[:GUESSES]
            ),
            picture=picture_uri(image, task.kind),
        )
        for number, image, row in zip(numbers, images, rows, strict=True)
    )


def _classes(task: TaskData, confusion: Counts) -> tuple[ClassFigures, ...]:
    trained = np.bincount(task.train.labels, minlength=len(task.labels))
    rows, columns = confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassFigures(
            label=label,
            train=int(trained[k]),
            test=int(rows[k]),
            recall=float(confusion[k, k] / rows[k]) if rows[k] else None,
            precision=float(confusion[k, k] / columns[k]) if columns[k] else None,
        )
        for k, label in enumerate(task.labels)
    )
