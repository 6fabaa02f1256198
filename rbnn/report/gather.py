"""``rbnn report``: gather a run's figures, then write them as a page and a model card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rbnn.audit.figures import Outcome
from rbnn.audit.gate import audit_line
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.image.board import load_board
from rbnn.report import network, settings
from rbnn.report.figures import DataFigures, Epoch, Results, RunReport, TaskReport, TrainingState
from rbnn.report.keys import describe_keys
from rbnn.report.page import card, page
from rbnn.report.results import measure
from rbnn.report.scorer import EngineChoice, Scorer, open_scorer
from rbnn.runs.config import RunConfig, RunTask
from rbnn.runs.figures import EpochFigures, read_figures
from rbnn.runs.run import Run
from rbnn.runs.start import load_data
from rbnn.tasks import TaskData
from rbnn.tasks.overlap import describe_overlap, find_overlap
from rbnn.tasks.overview import describe_inputs
from rbnn.train.evaluate import WrongSecrets, try_wrong_secrets

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""
MOST_APART = 0.01
"""Share of 1 by which an accuracy measured now may differ from the one that training recorded:
Keras in another precision and the integers differ by less."""
PAGE_FILE = "report.html"
CARD_FILE = "MODEL_CARD.md"


@dataclass(frozen=True)
class Wishes:
    """What the user may choose.

    Args:
        board: whose flash and RAM are reported.
        engine: what classifies the test sets.
        samples: how many correctly classified samples of each task to show, and as many
            misclassified ones.
        wrong_secrets: how many to try on each task; 0 for none.
        provider_key: PEM file whose ``.pub`` file is read; may be missing.
        registry: of devices and licences, file or URL; may be missing.
    """

    board: str
    engine: EngineChoice = "auto"
    samples: int = 6
    wrong_secrets: int = 0
    provider_key: Path = Path("keys") / "provider.pem"
    registry: str = "registry.sqlite"


def report_run(run: Run, wishes: Wishes, progress: Progress) -> RunReport:
    """Measure a run and gather all that is known of it; nothing is written.

    Args:
        run: trained for an epoch or more. A task whose data are not available has no results, and
            the report says so.
        wishes: the user's.
        progress: told of what takes long.

    Raises:
        RbnnError: the run has no parameters yet, or something of it is damaged.
    """
    config = run.config()
    if not run.parameters_file.exists():
        raise RbnnError(
            f"{run.folder} has no trained parameters yet.",
            f"Train it for at least one epoch: rbnn train --resume {run.folder}",
        )
    board = load_board(wishes.board)
    model = network.find_model(run)
    memory, problem = (
        (None, None) if model.container is None else network.share_out(board, model.container)
    )
    scorer = open_scorer(run, wishes.engine, model.container, model.export is not None)
    epochs = read_figures(run)
    tasks = tuple(
        _task(run, config, task, scorer, epochs, wishes, progress) for task in config.tasks
    )
    name = run.folder.resolve().name
    training = _training(config, epochs)
    export = model.figures
    if model.container is not None:
        figures = network.describe_board(board, model.container, memory, problem)
        export = export.model_copy(update={"board": figures})
    report = RunReport(
        run=name,
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        engine=scorer.engine,
        training=training,
        tasks=tasks,
        network=network.describe_network(run, board, model.container, memory),
        export=export,
        keys=describe_keys(config, model.export, wishes.provider_key, wishes.registry),
        settings=settings.settings(config),
        versions=settings.versions(),
        commands=settings.commands(settings.as_trained(config, training), name, wishes.board),
        notes=(),
        audit=audit_line(run),
    )
    return report.model_copy(update={"notes": notes(report, name)})


def check_files(page_file: Path, card_file: Path) -> None:
    """Refuse what cannot be written, before anything slow begins.

    Raises:
        RbnnError: one is a folder, or both are the same file.
    """
    for path in (page_file, card_file):
        if path.is_dir():
            raise RbnnError(f"{path} is a folder.", "Name the file to write.")
    if page_file.resolve() == card_file.resolve():
        raise RbnnError(
            f"Page and model card would be one file: {page_file}.", "Give --card another name."
        )


def write_report(report: RunReport, page_file: Path, card_file: Path) -> None:
    """Write the page and the model card.

    Raises:
        RbnnError: one of them cannot be written.
    """
    write_atomic(page_file, page(report))
    write_atomic(card_file, card(report))


def _task(
    run: Run,
    config: RunConfig,
    task: RunTask,
    scorer: Scorer,
    epochs: list[EpochFigures],
    wishes: Wishes,
    progress: Progress,
) -> TaskReport:
    own = _curve(read_figures(run.baseline(task.name)), task.name)
    shared = _curve(epochs, task.name)
    data: TaskData | None = None
    missing: str | None = None
    results: Results | None = None
    try:
        data = load_data(config.model_copy(update={"tasks": (task,)}), progress)[0]
    except RbnnError as error:
        missing = str(error)
    if data is not None:
        progress(f"{task.name}: test set", 0, 1)
        wrong = _wrong_secrets(scorer, data, config, wishes.wrong_secrets, progress)
        results = measure(scorer, data, wishes.samples, config.seed, wrong)
        progress(f"{task.name}: test set", 1, 1)
    return TaskReport(
        name=task.name,
        labels=task.labels,
        shared=shared[-1].test if shared else None,
        own=own[-1].test if own else None,
        curve=shared,
        own_curve=own,
        data=None if data is None else _data(data),
        results=results,
        missing=missing,
    )


def _curve(epochs: list[EpochFigures], task: str) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(
            epoch=epoch.epoch,
            loss=epoch.tasks[task].loss,
            train=epoch.tasks[task].train_accuracy,
            test=epoch.tasks[task].test_accuracy,
        )
        for epoch in epochs
        if task in epoch.tasks
    )


def _data(data: TaskData) -> DataFigures:
    overlap = find_overlap(data)
    return DataFigures(
        kind=data.kind,
        channels=data.channels,
        inputs=describe_inputs(data),
        train=len(data.train),
        test=len(data.test),
        origin=settings.origin_text(data.origin),
        fingerprint=data.fingerprint,
        equal=overlap.equal,
        alike=overlap.alike,
        warning=describe_overlap(data, overlap),
    )


def _wrong_secrets(
    scorer: Scorer, data: TaskData, config: RunConfig, count: int, progress: Progress
) -> WrongSecrets | None:
    if not count or config.scheme == "none":
        return None
    what = f"{data.name}: wrong secrets"
    return try_wrong_secrets(
        scorer.classes,
        data.name,
        data.test,
        len(data.labels),
        count,
        tried=lambda done: progress(what, done, count),
    )


def _training(config: RunConfig, epochs: list[EpochFigures]) -> TrainingState:
    if not epochs:
        return TrainingState(epochs=0, steps=0, seconds=0, progress=None)
    last = epochs[-1]
    return TrainingState(
        epochs=last.epoch,
        steps=last.steps,
        seconds=last.seconds,
        progress=config.progress(last.steps, last.seconds),
    )


def notes(report: RunReport, run: str) -> tuple[str, ...]:
    """What a reader must know before the figures.

    Args:
        report: with everything else.
        run: what commands in the notes call the run: its name, or for its owner its folder.
    """
    notes = []
    training = report.training
    if not training.finished:
        notes.append(
            f"Training is not finished: {training.progress or 0:.0%} after {training.epochs} "
            f"epochs. Continue with: rbnn train --resume {run}"
        )
    if training.progress is None:
        notes.append("The run has no metrics.json: there are no learning curves.")
    match report.export.state:
        case "missing":
            notes.append(
                "The run has not been exported: sizes are those that an export would have, and "
                f"there is no digest yet. Export it with: rbnn export {run}"
            )
        case "outdated":
            notes.append(
                f"{report.export.why} Sizes are those that a new export would have; "
                f"make one with: rbnn export {run}"
            )
        case "impossible":
            notes.append(f"The run cannot be exported to a device. {report.export.why}")
    if report.export.board is not None and report.export.board.problem:
        notes.append(report.export.board.problem)
    if report.audit is not None and report.audit.outcome is Outcome.FOUND:
        notes.append(f"The audit for backdoors says: {report.audit.said}. See audit/audit.html.")
    notes += [task.data.warning for task in report.tasks if task.data and task.data.warning]
    apart = [
        f"{task.name} {task.results.accuracy:.1%} against {task.shared:.1%}"
        for task in report.tasks
        if task.results is not None
        and task.shared is not None
        and abs(task.results.accuracy - task.shared) > MOST_APART
    ]
    if apart:
        notes.append(
            "Accuracies measured for this report differ from those that training recorded: "
            f"{', '.join(apart)}. Parameters and metrics may be from different times."
        )
    notes += [
        f"Task {task.name} could not be measured: {task.missing}"
        for task in report.tasks
        if task.missing
    ]
    return tuple(notes)
