"""A comparison's summary, as ``docs/benchmarks`` keeps it: single against shared, in percent."""

from __future__ import annotations

import statistics

from rbnn.compare.figures import AccuracyFigures
from rbnn.compare.jobs import DEVICE_SCHEME, SINGLE
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen


class SummaryAccuracy(Frozen):
    """Test accuracies in percent, by seed, and their mean."""

    seeds: dict[int, float]
    mean: float


class SummaryTask(Frozen):
    """One task; ``drop`` is single minus shared, points."""

    name: str
    single: SummaryAccuracy
    shared: SummaryAccuracy
    drop: float


class Summary(Frozen):
    """One comparison; ``average_drop`` is the mean of the tasks', points. Flash is in bytes."""

    arch: str
    bits: int
    command: str
    seeds: tuple[int, ...]
    tasks: tuple[SummaryTask, ...]
    average_drop: float
    flash_shared: int
    flash_separate: int


def summarise(figures: AccuracyFigures) -> Summary:
    """Single against shared under ``xor``, over the seeds for which every task has both.

    Raises:
        RbnnError: there is no such seed yet.
    """
    average = figures.average(DEVICE_SCHEME)
    if average is None or not figures.flash or figures.bits is None:
        raise RbnnError(
            "No seed has all single-task networks and the shared network under xor yet.",
            "Continue rbnn bench accuracy until one has.",
        )

    def percent(values: dict[int, float]) -> SummaryAccuracy:
        chosen = {seed: round(100 * values[seed], 2) for seed in average.seeds}
        mean = 100 * statistics.fmean(values[seed] for seed in average.seeds)
        return SummaryAccuracy(seeds=chosen, mean=round(mean, 2))

    tasks = tuple(
        SummaryTask(
            name=task.name,
            single=percent(task.networks[SINGLE].seeds),
            shared=percent(task.networks[DEVICE_SCHEME].seeds),
            drop=round(
                statistics.fmean(task.networks[DEVICE_SCHEME].drops[s] for s in average.seeds), 2
            ),
        )
        for task in figures.tasks
    )
    last = figures.flash[-1]
    return Summary(
        arch=str(figures.settings["architecture"]),
        bits=figures.bits,
        command=figures.command,
        seeds=average.seeds,
        tasks=tasks,
        average_drop=round(average.drop, 2),
        flash_shared=last.shared,
        flash_separate=last.separate,
    )
