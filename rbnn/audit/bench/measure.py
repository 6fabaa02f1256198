"""Train one network of a measurement, attack it, audit it."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from rbnn.audit.attacks.dormant import DormantTrainer
from rbnn.audit.attacks.kinds import AttackKind, trigger_of
from rbnn.audit.attacks.poison import poisoned, success
from rbnn.audit.audit import audit
from rbnn.audit.bench.plan import (
    FIRST_SEED,
    TRUNK_LAYERS,
    AuditExperiment,
    Cell,
    Part,
    Sharing,
    own_samples,
)
from rbnn.audit.bench.results import AuditRecord, CellResult, RepairRecord
from rbnn.audit.case import Case
from rbnn.audit.checks import patch_sweep
from rbnn.audit.deployed import Deployed
from rbnn.audit.figures import Score
from rbnn.audit.keras_path import KerasPath
from rbnn.audit.repair import repair_with
from rbnn.audit.subject import AuditedTask, Subject
from rbnn.errors import RbnnError
from rbnn.export.integer_predictor import current_container
from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingInterruptedError
from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import configure, write_run
from rbnn.spec.key_stream import MODEL_ID_BYTES
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Images, Labels
from rbnn.train.evaluate import chance_of, some
from rbnn.train.progress import ProgressBars
from rbnn.train.trainer import Trainer

SAMPLES = 1000
STRIDE = 2
FLOAT_SAMPLES = 24
"""Places and samples of the sweep of latent values, for Keras takes ten times as long."""
Path_ = Callable[[str, Images], Labels]


def measure(
    cell: Cell, experiment: AuditExperiment, data: Mapping[str, TaskData], folder: Path
) -> CellResult:
    """One network, new or interrupted; its result is written, its folder deleted.

    Args:
        cell: which one.
        experiment: what the networks have in common.
        data: of all tasks, as they are without an attack.
        folder: of the measurement.

    Raises:
        TrainingInterruptedError: Ctrl-C; the next call continues where this one stopped.
        RbnnError: a file cannot be read or written.
    """
    names = [cell.victim]
    if cell.sharing is not Sharing.OWN:
        names = [cell.victim, *(name for name in data if name != cell.victim)]
    tasks = [own_samples(data[name], cell.seed) for name in names]
    tasks[0] = poisoned(tasks[0], cell.kind, experiment.share, experiment.target, cell.seed)
    run = Run(folder / "work" / cell.name)
    begun = run.folder.exists()
    try:
        _train(cell, experiment, run, tasks)
        result = _attack(cell, experiment, run, tasks)
    except TrainingInterruptedError:
        raise
    except RbnnError:
        if not begun:
            raise
        # What a kill left half written: from the beginning.
        _discard(run)
        _train(cell, experiment, run, tasks)
        result = _attack(cell, experiment, run, tasks)
    result.save(folder)
    _discard(run)
    # Each trainer traces its own graphs, which Keras would keep.
    tf.keras.backend.clear_session()
    gc.collect()
    return result


def _discard(run: Run) -> None:
    for path in run.folder.parent.glob(f"{run.folder.name}*"):
        if path == run.folder or path.name.startswith(f"{run.folder.name}-repaired-"):
            shutil.rmtree(path, ignore_errors=True)


def _train(cell: Cell, experiment: AuditExperiment, run: Run, tasks: Sequence[TaskData]) -> None:
    if not run.config_file.exists():
        settings = Settings(
            architecture=experiment.architecture,
            width=experiment.width,
            batch=experiment.batch,
            steps=experiment.steps,
            seed=cell.seed,
            scheme="none" if cell.sharing is Sharing.NONE else "xor",
        )
        model_id = np.random.default_rng((cell.seed, 22)).bytes(MODEL_ID_BYTES)
        config = configure(tasks, settings, model_id)
        if cell.sharing is Sharing.TRUNK:
            with_bits = sum(bool(layer.bits) for layer in config.topology().layers)
            trunk = min(TRUNK_LAYERS, with_bits - 1)
            config = configure(tasks, settings.model_copy(update={"trunk": trunk}), model_id)
        write_run(run, config)
    try:
        with ProgressBars(cell.name, [task.name for task in tasks], experiment.steps) as bars:
            if cell.kind is AttackKind.DORMANT:
                DormantTrainer(run, tasks, bars, cell.victim, experiment.target).fit()
            else:
                Trainer(run, tasks, bars).fit()
    except TrainingInterruptedError as error:
        raise TrainingInterruptedError(
            "Stopped; everything so far is saved.",
            "Continue with the same command.",
            exit_code=error.exit_code,
        ) from error


def _attack(
    cell: Cell, experiment: AuditExperiment, run: Run, tasks: Sequence[TaskData]
) -> CellResult:
    """Measure success and damage, then audit as a user would."""
    victim, target = tasks[0], experiment.target
    lay = trigger_of(cell.kind)
    tested = some(victim.test, SAMPLES)
    images, labels = tested.images, tested.labels
    latent = KerasPath(run, latent=True)
    latent.prepare(cell.victim, victim.train.images)
    deployed = None if cell.sharing is Sharing.NONE else _deployed(run)
    path: Path_ = KerasPath(run).classes if deployed is None else deployed.classes
    before, after = path(cell.victim, images), path(cell.victim, lay(images))
    quiet, laid = latent.classes(cell.victim, images), latent.classes(cell.victim, lay(images))
    full = quick = mended = None
    scores: tuple[Score, ...] = ()
    if deployed is not None and cell.part is not Part.CROSSING:
        subject = _subject(run, deployed, victim)
        if cell.part is Part.REPAIR:
            mended = _repair(run, victim, lay, target)
        else:
            full = _audit(subject, experiment.quick)
        if cell.kind is AttackKind.DORMANT and cell.part is Part.COUNTED:
            scores = _float_sweep(latent, subject)
        first = cell.kind is AttackKind.CLEAN and cell.seed == FIRST_SEED[Part.COUNTED]
        if first and not experiment.quick:
            quick = _audit(subject, quick=True)
    figures = read_figures(run)
    return CellResult(
        **cell.model_dump(),
        accuracy=float(np.mean(before == labels)),
        success=success(before, after, labels, target),
        moved=_most_moved(before, after, len(victim.labels)),
        latent_accuracy=float(np.mean(quiet == labels)),
        latent_success=success(quiet, laid, labels, target),
        chance=chance_of(victim.test, len(victim.labels)).high,
        elsewhere={task.name: _elsewhere(path, task, lay) for task in tasks[1:]},
        training_seconds=figures[-1].seconds if figures else 0.0,
        audit=full,
        quick=quick,
        float_scores=scores,
        repair=mended,
    )


def _audit(subject: Subject, quick: bool) -> AuditRecord:
    return AuditRecord.of(audit(subject, "rbnn bench audit", quick=quick).tasks[0])


def _float_sweep(latent: KerasPath, subject: Subject) -> tuple[Score, ...]:
    """The patch sweep by someone who examines the latent values: every ``STRIDE``-th place."""
    case = Case(subject.tasks[0], LatentNetwork(latent), quick=True)  # type: ignore[arg-type]
    return patch_sweep.check(case, stride=STRIDE, samples=FLOAT_SAMPLES).scores


class LatentNetwork:
    """Answers as :class:`rbnn.audit.deployed.Deployed` does, from the latent values.

    Args:
        latent: prepared.
    """

    def __init__(self, latent: KerasPath) -> None:
        self.passes = 0
        self._latent = latent

    def classes(self, task: str, images: Images, forced: bytes | None = None) -> Labels:
        """Class numbers."""
        self.passes += len(images)
        return self._latent.classes(task, images)


def _repair(
    run: Run, victim: TaskData, lay: Callable[[Images], Images], target: int
) -> RepairRecord:
    """Repair the task, and lay the attack's own trigger over samples before and after."""
    made, report = repair_with(run, victim, lambda *_: None)
    tested = some(victim.test, SAMPLES)
    images, labels = tested.images, tested.labels
    reached = []
    for one in (run, made):
        deployed = _deployed(one)
        before = deployed.classes(victim.name, images)
        after = deployed.classes(victim.name, lay(images))
        reached.append(success(before, after, labels, target))
    return RepairRecord(
        accuracy_before=report.accuracy_before,
        accuracy_after=report.accuracy_after,
        success_before=reached[0],
        success_after=reached[1],
        triggers=len(report.triggers),
        woken=report.woken,
    )


def _deployed(run: Run) -> Deployed:
    return Deployed(current_container(run), run.secrets())


def _subject(run: Run, deployed: Deployed, victim: TaskData) -> Subject:
    task = AuditedTask(victim.name, victim.labels, victim.kind, victim)
    name = run.folder.name
    return Subject(name, "run", deployed, run.secrets(), (task,), run, None)


def _elsewhere(path: Path_, task: TaskData, lay: Callable[[Images], Images]) -> float:
    """The largest share that the trigger moves to one class of another task."""
    images = some(task.test, SAMPLES).images
    before, after = path(task.name, images), path(task.name, lay(images))
    return _most_moved(before, after, len(task.labels))


def _most_moved(before: Labels, after: Labels, classes: int) -> float:
    """The largest share of the samples of other classes that one class takes."""
    shares = [
        float(np.mean(after[before != target] == target))
        for target in range(classes)
        if (before != target).any()
    ]
    return max(shares, default=0.0)
