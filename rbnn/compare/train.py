"""Train and measure every network of a comparison, continuing with what its folder has.

All of them take as many steps as the network of all tasks, and its sub-batches: a single-task
network, or a shared one of fewer tasks, sees the same samples of each task in the same order.
"""

from __future__ import annotations

import gc
import os
import shlex
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from rbnn.compare.jobs import SINGLE, Job
from rbnn.compare.measure import measure
from rbnn.compare.measured import NetworkMeasurement, read_measured, write_measured
from rbnn.compare.plan import ComparisonPlan, read_plan, record_steps
from rbnn.compare.teachers import way_up, with_teachers
from rbnn.container.plan import plan as lay_container_out
from rbnn.engine.compile import compiler, engine_sources
from rbnn.errors import RbnnError
from rbnn.nets.padding import pad
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingInterruptedError, TrainingPausedError
from rbnn.runs.run import Run
from rbnn.runs.start import configure, write_run
from rbnn.spec.key_stream import MODEL_ID_BYTES
from rbnn.tasks import TaskData
from rbnn.tasks.loading_bar import LoadingBar
from rbnn.train.interrupt import CLOCK, is_due
from rbnn.train.outlook import later_work

Say = Callable[[str], None]


def train_all(
    folder: Path,
    plan: ComparisonPlan,
    data: Sequence[TaskData],
    say: Say,
    until: datetime | None = None,
) -> None:
    """Train and measure what is missing; finished networks stay as they are.

    Args:
        folder: of the comparison.
        plan: what to train now, from :func:`rbnn.compare.choice.settle`.
        data: the plan's tasks, in its order.
        say: called with a line about each network.
        until: stop at this time as with Ctrl-C; None for never.

    Raises:
        TrainingInterruptedError: Ctrl-C, or the time has come; the current network is saved.
        RbnnError: something cannot be read or written.
    """
    # TensorFlow takes seconds to import.
    from rbnn.train.float_network import provide_teachers
    from rbnn.train.session import fit

    jobs = _timed_first(plan)
    config = configure(data, plan.training(plan.seeds[0]), bytes(MODEL_ID_BYTES))
    if any(job.is_device_network for job in jobs):
        _check_measurable(config)
    missing = [job for job in jobs if not is_finished(read_measured(folder / job.path), job, plan)]
    batches = {task.name: task.batch for task in config.tasks}
    work = later_work([sum(batches[name] for name in job.tasks) for job in missing])
    command = shlex.join(["rbnn", "bench", "accuracy", "--out", str(folder)])
    provide_teachers(Run(folder), with_teachers(config, plan.teachers, ""), data, command, until)
    for job, later in zip(missing, work, strict=True):
        number = jobs.index(job) + 1
        if is_due(until):
            raise TrainingPausedError(
                f"Stopped at {datetime.now().strftime(CLOCK)} before network {number} of "
                f"{len(jobs)} of {folder}; the others are saved.",
                command,
            )
        own = [task for task in data if task.name in job.tasks]
        run = prepare(folder, plan, job, data)
        title = f"{number} of {len(jobs)}: {job.title}"
        say(f"Network {title}.")
        try:
            steps = fit(run, own, title, later=later, until=until)
        except TrainingInterruptedError as error:
            raise type(error)(error.what, command, exit_code=error.exit_code) from error
        if run.config().minutes is not None:
            record_steps(folder, steps)
        with LoadingBar() as bar:
            found = measure(run, own, job.is_device_network, plan.wrong_secrets, bar.show)
        write_measured(run.folder, found)
        _free_networks()


def is_finished(measured: NetworkMeasurement | None, job: Job, plan: ComparisonPlan) -> bool:
    """Whether a network is measured, with as many wrong secrets as are wanted."""
    if measured is None:
        return False
    tried = [task.wrong_secrets for task in measured.tasks]
    least = min(0 if one is None else len(one.accuracies) for one in tried)
    return not job.is_device_network or least >= plan.wrong_secrets


def prepare(folder: Path, plan: ComparisonPlan, job: Job, data: Sequence[TaskData]) -> Run:
    """The run folder of a network; made where it is missing or incomplete.

    Args:
        folder: of the comparison.
        plan: its settings.
        job: the network.
        data: all tasks of the plan.

    Raises:
        RbnnError: a setting is unusable, or the folder cannot be written.
    """
    run = Run(folder / job.path)
    whole = run.secrets_file.exists() or job.scheme == "none"
    # Once training has begun, lost secrets must be restored: with others its bits are noise.
    if run.config_file.exists() and (whole or run.checkpoint_folder.exists()):
        return run
    everything = configure(data, plan.training(job.seed), os.urandom(MODEL_ID_BYTES))
    everything = with_teachers(everything, plan.teachers, "")
    config = narrowed(everything, folder, job, _steps(folder, everything, job))
    write_run(run, with_teachers(config, plan.teachers, way_up(job)))
    return run


def narrowed(config: RunConfig, folder: Path, job: Job, steps: int | None) -> RunConfig:
    """The config of one network, made from that of all tasks.

    Args:
        config: of a shared run of all tasks.
        folder: of the comparison.
        job: the network.
        steps: that it takes; None for the one whose time decides.
    """
    if job.network == SINGLE:
        assert steps is not None, "time decides only for a shared network"
        return config.single_task(job.tasks[0], steps)
    run = Run(folder / job.path)

    def teacher(task: str) -> str | None:
        if not config.taught or (task in config.teachers and not config.superpose):
            return None
        return Run(folder / Job(SINGLE, "none", (task,), job.seed).path).relative_to(run)

    update: dict[str, object] = {
        "tasks": tuple(
            task.model_copy(update={"teacher": teacher(task.name)})
            for task in config.tasks
            if task.name in job.tasks
        ),
        "scheme": job.scheme,
        "baseline": False,  # the comparison trains the single-task networks itself
    }
    if job.scheme == "none":
        update["trunk"] = 0
    if steps is not None:
        update |= {"steps": steps, "epochs": None, "minutes": None}
    return config.model_copy(update=update)


def _steps(folder: Path, config: RunConfig, job: Job) -> int | None:
    """Steps of a network: planned ones, or those that the first network took in its time."""
    if config.planned_steps is not None:
        return config.planned_steps
    plan = read_plan(folder)
    if plan is not None and plan.steps is not None:
        return plan.steps
    if job.is_device_network:
        return None
    raise RbnnError(
        f"{folder} has no number of steps yet: with --minutes the shared network is trained first.",
        "Add its seed and scheme xor.",
    )


def _check_measurable(config: RunConfig) -> None:
    """Refuse before the training what would be refused after hours of it.

    Raises:
        RbnnError: the network does not fit the container, or the C engine cannot be built here.
    """
    lay_container_out(pad(config.topology()).topology)
    engine_sources()
    compiler()


def _timed_first(plan: ComparisonPlan) -> list[Job]:
    """The networks; with a time budget, the one whose time it is comes first."""
    jobs = plan.jobs
    if plan.settings["minutes"] is None:
        return jobs
    return sorted(jobs, key=lambda job: not (job.is_device_network and job.seed == plan.seeds[0]))


def _free_networks() -> None:
    """Free the graphs that TensorFlow keeps of the last network."""
    from rbnn.nets.framework import tf

    tf.keras.backend.clear_session()
    gc.collect()
