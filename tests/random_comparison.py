"""A folder of ``rbnn bench accuracy`` with invented figures, for tests of its reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rbnn.compare.jobs import Job
from rbnn.compare.measured import (
    CurvePoint,
    Integers,
    MeasuredTask,
    NetworkMeasurement,
    write_measured,
)
from rbnn.compare.plan import FILE, ComparisonPlan, PlannedTask, usual_settings
from rbnn.container.sizes import Sizes, TaskSize
from rbnn.files import write_atomic
from rbnn.train.evaluate import Chance, WrongSecrets

SAMPLES = 2_000
LEVELS = {
    "cifar": (0.76, 10), "gtsrb": (0.95, 43), "scenes": (0.77, 6), "fashion": (0.91, 10),
    "mnist": (0.99, 10), "emnist": (0.89, 47), "kws": (0.86, 12),
}  # fmt: skip
"""Accuracy and classes of each task."""
COSTS = {"single": 0.0, "xor": 0.003, "sign": 0.004, "permute": 0.006, "none": 0.012}
"""Roughly what a network loses under each scheme."""


def random_plan(
    tasks: Sequence[str] = tuple(LEVELS), seeds: Sequence[int] = (1, 2, 3)
) -> ComparisonPlan:
    """Its plan: a small resnet under all schemes."""
    return ComparisonPlan(
        tasks=tuple(PlannedTask(name=name, spec=name, fingerprint="00" * 32) for name in tasks),
        settings={**usual_settings(), "architecture": "resnet", "width": 32},
        seeds=tuple(seeds),
        schemes=("xor", "sign", "permute", "none"),
        counts=tuple(count for count in (1, 2, 4, 7) if count <= len(tasks)),
        wrong_secrets=20,
    )


def random_measured(job: Job, number: int = 0) -> NetworkMeasurement:
    """What one network might have reached."""
    generator = np.random.default_rng((number, job.seed, len(job.tasks)))
    cost = COSTS.get(job.network, 0.002)
    tasks = tuple(_task(name, cost, job, generator) for name in job.tasks)
    sizes = None
    if job.is_device_network:
        own = [
            TaskSize(name=t.name, record=48, sealed=3_000, licence=200, own=3_248, separate=363_000)
            for t in tasks
        ]
        sizes = Sizes(
            container=400_000, shared=362_000, tasks=tuple(own), arena=1, work=1, params=3_000
        )
    return NetworkMeasurement(
        steps=9_000, seconds=3_600.0, bits=2_900_000, tasks=tasks, sizes=sizes
    )


def random_comparison(folder: Path, plan: ComparisonPlan, missing: Sequence[Job] = ()) -> None:
    """Write the folder; ``missing`` networks are left out."""
    write_atomic(folder / FILE, plan.model_dump_json())
    for number, job in enumerate(plan.jobs):
        if job not in missing:
            write_measured(folder / job.path, random_measured(job, number))


def _task(name: str, cost: float, job: Job, generator: np.random.Generator) -> MeasuredTask:
    level, classes = LEVELS[name]
    truth = generator.integers(0, classes, SAMPLES)
    right = generator.random(SAMPLES) < level - cost
    found = np.where(right, truth, (truth + generator.geometric(0.5, SAMPLES)) % classes)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth, found), 1)
    reached = float(np.trace(confusion)) / SAMPLES
    chance = Chance(low=1 / classes, high=1.1 / classes)
    keyed = job.is_device_network
    wrong = np.abs(generator.normal(1 / classes, 0.004, 20)).tolist()
    return MeasuredTask(
        name=name,
        labels=tuple(f"class {number}" for number in range(classes)),
        samples=SAMPLES,
        accuracy=reached,
        chance=chance,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        curve=tuple(
            CurvePoint(
                steps=900 * epoch,
                loss=2.0 / epoch,
                train_accuracy=reached * (1 - 0.3 / epoch),
                test_accuracy=reached * (1 - 0.4 * (10 - epoch) / 10 / epoch),
            )
            for epoch in range(1, 11)
        ),
        integers=Integers(accuracy=reached, agreement=0.998) if keyed else None,
        wrong_secrets=WrongSecrets(accuracies=tuple(wrong), chance=chance) if keyed else None,
    )
