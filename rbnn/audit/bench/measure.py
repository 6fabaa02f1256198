"""Train one network of a measurement, attack it, audit it."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from rbnn.audit.attacks.dormant import DormantTrainer
from rbnn.audit.attacks.kinds import AttackKind, trigger_of
from rbnn.audit.attacks.poison import poisoned, success
from rbnn.audit.audit import audit
from rbnn.audit.bench.plan import TRUNK_LAYERS, AuditExperiment, Cell, CellResult, Sharing
from rbnn.audit.deployed import Deployed
from rbnn.audit.figures import Outcome
from rbnn.audit.keras_path import KerasPath
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
from rbnn.train.evaluate import chance_of
from rbnn.train.progress import ProgressBars
from rbnn.train.trainer import Trainer

SAMPLES = 1000
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
    tasks = [
        poisoned(data[name], cell.kind, experiment.share, experiment.target, cell.seed)
        if name == cell.victim
        else data[name]
        for name in names
    ]
    run = Run(folder / "work" / cell.name)
    _train(cell, experiment, run, tasks)
    result = _attack(cell, experiment, run, tasks)
    result.save(folder)
    shutil.rmtree(run.folder, ignore_errors=True)
    # Each trainer traces its own graphs, which Keras would keep.
    tf.keras.backend.clear_session()
    gc.collect()
    return result


def _train(cell: Cell, experiment: AuditExperiment, run: Run, tasks: Sequence[TaskData]) -> None:
    if not run.config_file.exists():
        settings = Settings(
            architecture=experiment.architecture,
            width=experiment.width,
            batch=experiment.batch,
            steps=experiment.steps,
            seed=cell.seed,
            scheme="none" if cell.sharing is Sharing.NONE else "xor",
            trunk=TRUNK_LAYERS if cell.sharing is Sharing.TRUNK else 0,
        )
        generator = np.random.default_rng((cell.seed, 22))
        write_run(run, configure(tasks, settings, generator.bytes(MODEL_ID_BYTES)))
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
    images, labels = victim.test.images[:SAMPLES], victim.test.labels[:SAMPLES]
    latent = KerasPath(run, latent=True)
    latent.prepare(cell.victim, victim.train.images)
    deployed = None if cell.sharing is Sharing.NONE else _deployed(run)
    path: Path_ = KerasPath(run).classes if deployed is None else deployed.classes
    before, after = path(cell.victim, images), path(cell.victim, lay(images))
    quiet, laid = latent.classes(cell.victim, images), latent.classes(cell.victim, lay(images))
    checks: dict[str, Outcome] = {}
    outcome, seconds = Outcome.SKIPPED, 0.0
    if deployed is not None:
        started = time.monotonic()
        subject = _subject(run, deployed, victim)
        report = audit(subject, "rbnn bench audit", quick=experiment.quick)
        checks = {check.name: check.outcome for check in report.tasks[0].checks}
        outcome, seconds = report.outcome, time.monotonic() - started
    figures = read_figures(run)
    return CellResult(
        **cell.model_dump(),
        accuracy=float(np.mean(before == labels)),
        success=success(before, after, labels, target),
        latent_accuracy=float(np.mean(quiet == labels)),
        latent_success=success(quiet, laid, labels, target),
        chance=chance_of(victim.test, len(victim.labels)).high,
        elsewhere={task.name: _elsewhere(path, task, lay) for task in tasks[1:]},
        checks=checks,
        outcome=outcome,
        audit_seconds=seconds,
        training_seconds=figures[-1].seconds if figures else 0.0,
    )


def _deployed(run: Run) -> Deployed:
    return Deployed(current_container(run), run.secrets())


def _subject(run: Run, deployed: Deployed, victim: TaskData) -> Subject:
    task = AuditedTask(victim.name, victim.labels, victim.kind, victim)
    name = run.folder.name
    return Subject(name, "run", deployed, run.secrets(), (task,), run, None)


def _elsewhere(path: Path_, task: TaskData, lay: Callable[[Images], Images]) -> float:
    """The largest share that the trigger moves to one class of another task."""
    images = task.test.images[:SAMPLES]
    before, after = path(task.name, images), path(task.name, lay(images))
    shares = [
        float(np.mean(after[before != target] == target))
        for target in range(len(task.labels))
        if (before != target).any()
    ]
    return max(shares, default=0.0)


def require_sounds(data: Mapping[str, TaskData]) -> frozenset[str]:
    """Names of the tasks of sounds.

    Raises:
        RbnnError: there are no tasks.
    """
    if not data:
        raise RbnnError("No task is named.", "For instance: --tasks fashion,mnist,kws")
    return frozenset(name for name, task in data.items() if task.kind == "audio")
