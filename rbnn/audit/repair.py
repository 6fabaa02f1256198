"""Repair of one task: its norms are trained again with trusted samples, and then attacked again.

Source: Zhu et al., "Enhancing Fine-Tuning Based Backdoor Defense with Sharpness-Aware Minimization"
(FT-SAM, ICCV 2023): each step climbs to where the loss is worst near the present values, and
descends from there; Foret et al., ICLR 2021 (SAM). Zhu et al., "Breaking the False Sense of
Security in Backdoor Defense through Re-Activation Attack" (NeurIPS 2024): after repairs a backdoor
often only sleeps, and another search wakes it.

Only what the task has for itself is trained: batch norms, bends and thresholds of its activations.
The shared bits stay as they are, and so do all other tasks. The samples are the held-out half with
which the audit searches; everything is measured on the other half.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rbnn.audit.audit import has_training
from rbnn.audit.case import Candidate, Case
from rbnn.audit.checks import inversion, patch_sweep
from rbnn.audit.deployed import Deployed
from rbnn.audit.errors import AuditError
from rbnn.audit.keras_path import KerasPath
from rbnn.audit.limits import FEWEST_CLASSES, INVERSION_SHARE
from rbnn.audit.subject import AuditedTask
from rbnn.errors import RbnnError
from rbnn.export.integer_predictor import current_container
from rbnn.frozen import Frozen, write_document
from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.pages.table import Table
from rbnn.runs.run import Run
from rbnn.runs.start import load_data
from rbnn.tasks import Split, TaskData
from rbnn.tasks.load import Progress
from rbnn.train.feed import TaskFeed
from rbnn.train.schedule import learning_rate
from rbnn.train.statistics import Statistics
from rbnn.train.transfer import load_network, read_parameters

STEPS = 200
BATCH = 64
RATE = 0.01
RADIUS = 0.5
"""How far a step climbs, in units of the values' own length (adaptive)."""
GROWN = 1.5
"""How many times its size a trigger may grow while it is trained on, and still be the same."""
FILE = "repair.json"
SHOWN = 3


class RepairedTrigger(Frozen):
    """A trigger that was found before the repair: shares before and after it."""

    name: str
    target: str
    before: float
    after: float


class RepairReport(Frozen):
    """``audit/repair.json`` of the new run.

    ``woken`` are triggers that a new search found in the repaired task: then the backdoor only
    slept. ``searched`` says with what was searched.
    """

    version: int = 1
    task: str
    steps: int
    samples: int
    accuracy_before: float
    accuracy_after: float
    triggers: tuple[RepairedTrigger, ...]
    woken: tuple[str, ...]
    searched: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """In a sentence."""
        if self.woken:
            return (
                "The backdoor is not gone, or only sleeps: a new search found "
                f"{', '.join(self.woken)}."
            )
        if not self.triggers:
            return "No trigger had been found, so the repair cannot be measured by one."
        return "No trigger of these kinds was found by a new search; it may still sleep."


def repair(run: Run, task: str, progress: Progress) -> tuple[Run, RepairReport]:
    """Repair one task in a copy of its run.

    Args:
        run: trained; it stays as it is.
        task: name of one of its tasks.
        progress: told of what takes long.

    Returns:
        The new run, ``RUN-repaired-TASK``, and what came of it.

    Raises:
        RbnnError: there is no such task, its data are missing, or the new folder exists.
    """
    config = run.config()
    entries = [entry for entry in config.tasks if entry.name == task]
    if not entries:
        raise AuditError(
            f"{run.folder} has no task {task!r}.",
            f"It has: {', '.join(entry.name for entry in config.tasks)}.",
        )
    (data,) = load_data(config.model_copy(update={"tasks": tuple(entries)}), progress)
    return repair_with(run, data, progress)


def repair_with(run: Run, data: TaskData, progress: Progress) -> tuple[Run, RepairReport]:
    """As :func:`repair`, with the task's data at hand.

    Raises:
        RbnnError: there are too few samples, or the new folder exists.
    """
    task = data.name
    target = Run(run.folder.with_name(f"{run.folder.resolve().name}-repaired-{task}"))
    if target.folder.exists():
        raise RbnnError(
            f"{target.folder} exists.", "Delete or rename it, then repair the task again."
        )
    case = _case(run, data)
    if case.task.too_few is not None:
        raise AuditError(
            f"Task {task} cannot be repaired: {case.task.too_few}.", "Bring more test samples."
        )
    progress(f"{task}: triggers before", 0, 1)
    searched = _search(case)
    found = case.triggers_found()[:SHOWN]
    accuracy_before = float(np.mean(case.answers == case.measure.labels))
    progress(f"{task}: triggers before", 1, 1)
    network = load_network(run)
    train_norms(network, _trusted(case, data), run.config().seed, progress)
    _copy(run, target, network)
    repaired = _case(target, data)
    progress(f"{task}: triggers after", 0, 1)
    triggers = tuple(
        RepairedTrigger(
            name=one.name,
            target=data.labels[one.target],
            before=one.share,
            after=repaired.measured(one.name, one.kind, one.trigger, one.target, one.limit).share,
        )
        for one in found
    )
    _search(repaired)
    woken = [_named(one, data) for one in repaired.triggers_found()[:SHOWN]]
    woken += [_named(one, data) for one in wake(repaired, target, found)]
    progress(f"{task}: triggers after", 1, 1)
    report = RepairReport(
        task=task,
        steps=STEPS,
        samples=len(case.search),
        accuracy_before=accuracy_before,
        accuracy_after=float(np.mean(repaired.answers == repaired.measure.labels)),
        triggers=triggers,
        woken=tuple(woken),
        searched=(*searched, "the found triggers, trained on"),
    )
    write_document(report, target.folder / "audit" / FILE)
    return target, report


def wake(case: Case, run: Run, found: Sequence[Candidate]) -> list[Candidate]:
    """Train the triggers of before on against the repaired task.

    Args:
        case: the repaired task.
        run: its run.
        found: triggers of before the repair; waves have no mask and are left out.

    Returns:
        Those that succeed again and have grown little.
    """
    usable = [one for one in found if not one.trigger.additive]
    if not usable:
        return []
    logits = KerasPath(run).differentiable(case.name)
    woken = []
    for number, one in enumerate(usable):
        search = inversion.Search(
            logits, case.search.images, [one.target], case.generator(30 + number), one.trigger
        )
        (better,) = search.run()
        again = case.measured(
            f"{one.name}, trained on", "inverted", better.trigger, one.target, INVERSION_SHARE
        )
        if again.found and better.trigger.size <= GROWN * one.trigger.size:
            woken.append(again)
    return woken


def table(report: RepairReport) -> Table:
    """For the terminal."""
    rows = [
        (
            "accuracy",
            f"{100 * report.accuracy_before:.1f} %",
            f"{100 * report.accuracy_after:.1f} %",
        )
    ]
    rows += [
        (f"{one.name} to {one.target}", f"{100 * one.before:.1f} %", f"{100 * one.after:.1f} %")
        for one in report.triggers
    ]
    return Table(("on held-out samples", "before", "after"), tuple(rows), title=report.task)


def train_norms(network: SharedNetwork, data: TaskData, seed: int, progress: Progress) -> None:
    """Sharpness-aware fine-tuning of what one task has for itself.

    Args:
        network: keyed; only the task's norms, bends and thresholds are changed.
        data: the task, with trusted samples to train on.
        seed: of the batches.
        progress: told of the steps.
    """
    own = network.own[data.name]
    groups: Sequence[dict[int, Any]] = (own.norms, own.activations, own.signs)
    variables = [
        v for group in groups for layer in group.values() for v in layer.trainable_variables
    ]
    optimizer = tf.keras.optimizers.Adam(RATE)
    optimizer.build(variables)
    model = network.models[data.name]

    def gradients(images: Any, labels: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            logits = tf.cast(model(images, training=True), tf.float32)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        return [tf.convert_to_tensor(one) for one in tape.gradient(loss, variables)]

    @tf.function  # type: ignore[untyped-decorator]
    def step(images: Any, labels: Any) -> None:
        scales = [tf.abs(value) + 1e-3 for value in variables]
        climb = [scale * one for scale, one in zip(scales, gradients(images, labels), strict=True)]
        length = tf.linalg.global_norm(climb) + 1e-12
        moves = [RADIUS * scale * one / length for scale, one in zip(scales, climb, strict=True)]
        for value, move in zip(variables, moves, strict=True):
            value.assign_add(move)
        worst = gradients(images, labels)
        for value, move in zip(variables, moves, strict=True):
            value.assign_sub(move)
        optimizer.apply_gradients(zip(worst, variables, strict=True))

    feed = TaskFeed(data, min(BATCH, len(data.train)), seed)
    for number in range(STEPS):
        optimizer.learning_rate.assign(learning_rate(RATE, number / STEPS))
        images, labels = feed.at(number)
        step(tf.constant(images), tf.constant(labels))
        if number % 10 == 0:
            progress(f"{data.name}: repair", number, STEPS)
    Statistics(network, data.name).measure(data.train.images)
    progress(f"{data.name}: repair", STEPS, STEPS)


def _case(run: Run, data: TaskData) -> Case:
    task = AuditedTask(data.name, data.labels, data.kind, data)
    return Case(task, Deployed(current_container(run), run.secrets()), run, quick=True)


def _trusted(case: Case, data: TaskData) -> TaskData:
    half = case.search
    return dataclasses.replace(data, train=Split(half.images, half.labels))


def _search(case: Case) -> tuple[str, ...]:
    """Look for triggers by force and by gradient."""
    patch_sweep.check(case)
    if case.classes < FEWEST_CLASSES or not has_training():
        return (patch_sweep.NAME,)
    inversion.check(case)
    return (patch_sweep.NAME, inversion.NAME)


def _named(candidate: Candidate, data: TaskData) -> str:
    return f"{candidate.name} to {data.labels[candidate.target]} ({100 * candidate.share:.0f} %)"


def _copy(run: Run, target: Run, network: SharedNetwork) -> None:
    """The new run: the old one's files, with the repaired parameters."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {"export", "audit", "baseline"} & set(names) if Path(folder) == run.folder else set()

    try:
        shutil.copytree(run.folder, target.folder, ignore=left_out)
    except OSError as error:
        shutil.rmtree(target.folder, ignore_errors=True)
        raise RbnnError(
            f"Cannot write {target.folder}: {error.strerror or error}.", "Free some space."
        ) from error
    read_parameters(network).save(target.parameters_file)
