"""From what was measured of each network to the comparison: ``accuracy.json``.

Accuracies are shares of 1, drops percentage points: positive if the shared network is worse than
the single-task network. A drop is a mean over the seeds that both networks have.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, computed_field

from rbnn.compare.jobs import DEVICE_SCHEME, SINGLE, Job
from rbnn.compare.measured import Integers, MeasuredTask, NetworkMeasurement, read_measured
from rbnn.compare.plan import ComparisonPlan
from rbnn.frozen import Frozen
from rbnn.train.evaluate import Chance, WrongSecrets


class Accuracies(Frozen):
    """Test accuracies of one task in one network, by seed; ``seeds`` is never empty.

    ``drops``, by seed, are against the single-task network; empty for that network itself.
    """

    seeds: dict[int, float]
    drops: dict[int, float] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.seeds.values())

    @computed_field  # type: ignore[prop-decorator]
    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over the seeds; None for a single one."""
        return statistics.stdev(self.seeds.values()) if len(self.seeds) > 1 else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def drop(self) -> float | None:
        """Mean of the drops; None if there are none."""
        return statistics.fmean(self.drops.values()) if self.drops else None


class TaskComparison(Frozen):
    """One task. ``networks`` by name: ``single``, the schemes, ``xor-M`` for the first M tasks.

    ``integers`` and ``wrong_secrets``, by seed, are those of the network under ``xor``.
    """

    name: str
    labels: tuple[str, ...]
    samples: int
    chance: Chance
    networks: dict[str, Accuracies]
    integers: dict[int, Integers]
    wrong_secrets: dict[int, WrongSecrets]


class NetworkAverage(Frozen):
    """Averages of one shared network over its tasks.

    ``single`` is the mean of the single-task networks, ``worst`` the largest drop and
    ``worst_task`` the task that has it. ``seeds`` are those for which every task has both networks;
    the others do not count.
    """

    network: str
    tasks: int
    seeds: tuple[int, ...]
    accuracy: float
    single: float
    drop: float
    worst: float
    worst_task: str


class Flash(Frozen):
    """Flash of the first ``count`` tasks, bytes: one shared network against separate ones.

    ``shared`` is everything that ``rbnn flash`` would store of them: tables and bits once, and for
    each task its record, sealed parameters with labels, and one licence. ``separate`` are plain
    networks, without sealing and licences. ``ratio`` is ``shared`` over the mean size of one
    separate network.
    """

    count: int
    shared: int
    separate: int
    ratio: float


class AccuracyFigures(Frozen):
    """``accuracy.json``: everything that has been measured so far.

    ``missing`` are the run folders that are planned but not finished. ``steps`` is the number of
    steps of each network, ``seconds`` the training time of all of them together.
    """

    version: int = 1
    command: str
    settings: dict[str, Any]
    bits: int | None
    steps: int | None
    seconds: float
    tasks: tuple[TaskComparison, ...]
    averages: tuple[NetworkAverage, ...]
    counts: tuple[NetworkAverage, ...]
    flash: tuple[Flash, ...]
    missing: tuple[str, ...]

    def average(self, network: str) -> NetworkAverage | None:
        """Averages of a network; None if there are none yet."""
        return next((one for one in self.averages if one.network == network), None)


def collect(folder: Path, plan: ComparisonPlan) -> dict[Job, NetworkMeasurement]:
    """What has been measured of a comparison so far.

    Raises:
        RbnnError: a file is damaged.
    """
    found = {job: read_measured(folder / job.path) for job in plan.jobs}
    return {job: measured for job, measured in found.items() if measured is not None}


def compare(plan: ComparisonPlan, measured: Mapping[Job, NetworkMeasurement]) -> AccuracyFigures:
    """Put the figures of all networks side by side.

    Args:
        plan: of the folder.
        measured: by network, from :func:`collect`; may be empty.
    """
    tasks = tuple(
        comparison
        for name in plan.names
        if (comparison := _compare_task(name, measured)) is not None
    )
    averages = [
        average
        for network in plan.schemes
        if (average := _average(network, tasks, plan.names)) is not None
    ]
    shared = [one for job, one in measured.items() if job.is_device_network]
    whole = [one for job, one in measured.items() if job.tasks == plan.names]
    steps = {one.steps for one in measured.values()}
    return AccuracyFigures(
        command=plan.command,
        settings=plan.settings,
        bits=whole[0].bits if whole else None,
        steps=steps.pop() if len(steps) == 1 else None,
        seconds=round(sum(one.seconds for one in measured.values()), 1),
        tasks=tasks,
        averages=tuple(averages),
        counts=_counts(plan, tasks),
        flash=tuple(_flash(shared[0])) if shared else (),
        missing=tuple(str(job.path) for job in plan.jobs if job not in measured),
    )


def _compare_task(name: str, measured: Mapping[Job, NetworkMeasurement]) -> TaskComparison | None:
    found: dict[str, dict[int, MeasuredTask]] = {}
    for job, one in measured.items():
        if name in job.tasks:
            found.setdefault(job.network, {})[job.seed] = one.task(name)
    if not found:
        return None
    single = {seed: one.accuracy for seed, one in found.get(SINGLE, {}).items()}
    device = found.get(DEVICE_SCHEME, {})
    some = next(iter(next(iter(found.values())).values()))
    return TaskComparison(
        name=name,
        labels=some.labels,
        samples=some.samples,
        chance=some.chance,
        networks={network: _accuracies(network, runs, single) for network, runs in found.items()},
        integers={seed: one.integers for seed, one in device.items() if one.integers},
        wrong_secrets={
            seed: one.wrong_secrets for seed, one in device.items() if one.wrong_secrets
        },
    )


def _accuracies(
    network: str, runs: Mapping[int, MeasuredTask], single: Mapping[int, float]
) -> Accuracies:
    seeds = {seed: runs[seed].accuracy for seed in sorted(runs)}
    both = [] if network == SINGLE else [seed for seed in seeds if seed in single]
    return Accuracies(
        seeds=seeds,
        drops={seed: 100 * (single[seed] - seeds[seed]) for seed in both},
    )


def _average(
    network: str, tasks: Iterable[TaskComparison], names: Sequence[str]
) -> NetworkAverage | None:
    """Averages over ``names``; None unless all of them have a drop for at least one common seed.

    A seed counts only if every task has both networks: otherwise tasks would weigh differently.
    """
    rows = [task for task in tasks if task.name in names and network in task.networks]
    if len(rows) < len(names):
        return None
    seeds = sorted(set.intersection(*(set(task.networks[network].drops) for task in rows)))
    if not seeds:
        return None
    drops = {
        task.name: statistics.fmean(task.networks[network].drops[seed] for seed in seeds)
        for task in rows
    }
    worst = max(drops, key=lambda name: drops[name])

    def mean(which: str) -> float:
        return statistics.fmean(task.networks[which].seeds[seed] for task in rows for seed in seeds)

    return NetworkAverage(
        network=network,
        tasks=len(rows),
        seeds=tuple(seeds),
        accuracy=mean(network),
        single=mean(SINGLE),
        drop=statistics.fmean(drops.values()),
        worst=drops[worst],
        worst_task=worst,
    )


def _counts(plan: ComparisonPlan, tasks: Sequence[TaskComparison]) -> tuple[NetworkAverage, ...]:
    """Averages by number of tasks; none before there are two numbers to compare."""
    several = [
        average
        for count in plan.counts
        if count > 1
        and (average := _average(plan.shared(count), tasks, plan.names[:count])) is not None
    ]
    alone = [_alone(tasks[0])] if several and 1 in plan.counts else []
    found = (*alone, *several)
    return found if len(found) > 1 else ()


def _alone(task: TaskComparison) -> NetworkAverage:
    """One task that shares with no other: its single-task network."""
    own = task.networks[SINGLE]
    return NetworkAverage(
        network=SINGLE,
        tasks=1,
        seeds=tuple(own.seeds),
        accuracy=own.mean,
        single=own.mean,
        drop=0.0,
        worst=0.0,
        worst_task=task.name,
    )


def _flash(measured: NetworkMeasurement) -> Iterable[Flash]:
    sizes = measured.sizes
    if sizes is None:
        return
    shared, separate = sizes.shared, 0
    one = sum(task.separate for task in sizes.tasks) / len(sizes.tasks)
    for count, task in enumerate(sizes.tasks, 1):
        shared += task.own
        separate += task.separate
        yield Flash(count=count, shared=shared, separate=separate, ratio=shared / one)
