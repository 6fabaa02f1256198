"""Means, drops and averages of a comparison, from figures that can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_comparison import random_comparison, random_measured, random_plan

from rbnn.compare.figures import collect, compare
from rbnn.compare.jobs import Job
from rbnn.compare.measured import NetworkMeasurement, read_measured, write_measured
from rbnn.compare.summary import summarise
from rbnn.errors import RbnnError


def with_accuracy(job: Job, values: dict[str, float]) -> NetworkMeasurement:
    made = random_measured(job)
    tasks = [one.model_copy(update={"accuracy": values[one.name]}) for one in made.tasks]
    return made.model_copy(update={"tasks": tuple(tasks)})


PLAN = random_plan(("cifar", "mnist"), (1, 2))
ACCURACIES = {
    ("single", 1): {"cifar": 0.70, "mnist": 0.98},
    ("single", 2): {"cifar": 0.72, "mnist": 0.99},
    ("xor", 1): {"cifar": 0.69, "mnist": 0.98},
    ("xor", 2): {"cifar": 0.73, "mnist": 0.97},
    ("none", 1): {"cifar": 0.60, "mnist": 0.90},
}
MEASURED = {
    job: with_accuracy(job, ACCURACIES[job.network, job.seed])
    for job in PLAN.jobs
    if (job.network, job.seed) in ACCURACIES
}


def test_drops_are_taken_seed_by_seed() -> None:
    figures = compare(PLAN, MEASURED)
    cifar, mnist = figures.tasks
    assert cifar.networks["xor"].mean == pytest.approx(0.71)
    assert cifar.networks["xor"].deviation == pytest.approx(0.0282843, abs=1e-6)
    assert cifar.networks["xor"].drops == pytest.approx({1: 1.0, 2: -1.0})
    assert mnist.networks["xor"].drop == pytest.approx(1.0)
    assert mnist.networks["none"].drop == pytest.approx(8.0)
    assert mnist.networks["none"].deviation is None
    assert cifar.networks["single"].drop is None


def test_averages_are_over_the_seeds_that_all_tasks_have() -> None:
    figures = compare(PLAN, MEASURED)
    xor = figures.average("xor")
    assert xor is not None
    assert xor.drop == pytest.approx(0.5)
    assert (xor.worst_task, xor.seeds) == ("mnist", (1, 2))
    assert xor.worst == pytest.approx(1.0)
    assert xor.accuracy == pytest.approx((0.69 + 0.98 + 0.73 + 0.97) / 4)
    assert xor.single == pytest.approx((0.70 + 0.98 + 0.72 + 0.99) / 4)
    without = {job: one for job, one in MEASURED.items() if job.path != Path("single/mnist/seed-2")}
    part = compare(PLAN, without).average("xor")
    assert part is not None
    assert part.seeds == (1,)
    assert part.drop == pytest.approx(0.5)
    assert compare(PLAN, {}).average("xor") is None
    alone, both = figures.counts
    assert (alone.tasks, alone.drop) == (1, 0.0)
    assert alone.accuracy == alone.single == pytest.approx(0.71)
    assert (both.tasks, both.drop) == (2, xor.drop)


def test_missing_networks_are_listed() -> None:
    assert compare(PLAN, MEASURED).missing == (
        "shared/sign/seed-1",
        "shared/permute/seed-1",
        "shared/sign/seed-2",
        "shared/permute/seed-2",
        "shared/none/seed-2",
    )
    assert len(compare(PLAN, {}).missing) == len(PLAN.jobs)


def test_flash_adds_up() -> None:
    one, two = compare(PLAN, MEASURED).flash
    assert (one.shared, one.separate) == (362_000 + 3_248, 363_000)
    assert (two.shared, two.separate) == (362_000 + 2 * 3_248, 2 * 363_000)
    assert two.ratio == pytest.approx((362_000 + 2 * 3_248) / 363_000)


def test_the_summary_is_in_percent() -> None:
    brief = summarise(compare(PLAN, MEASURED))
    assert [task.name for task in brief.tasks] == ["cifar", "mnist"]
    assert brief.tasks[0].single.seeds == {1: 70.0, 2: 72.0}
    assert brief.tasks[1].shared.mean == 97.5
    assert brief.tasks[1].drop == 1.0
    assert (brief.average_drop, brief.bits, brief.arch) == (0.5, 2_900_000, "resnet")
    with pytest.raises(RbnnError, match="No seed"):
        summarise(compare(PLAN, {}))


def test_files_are_read_back_as_written(tmp_path: Path) -> None:
    random_comparison(tmp_path, PLAN, missing=PLAN.jobs[3:])
    found = collect(tmp_path, PLAN)
    assert list(found) == PLAN.jobs[:3]
    assert found[PLAN.jobs[2]] == random_measured(PLAN.jobs[2], 2)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_measured(tmp_path, random_measured(PLAN.jobs[0]))
    (tmp_path / "measured.json").write_text("{")
    with pytest.raises(RbnnError, match=r"measured\.json"):
        read_measured(tmp_path)
