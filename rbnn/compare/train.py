"""Train and measure every network of a comparison, from wherever its folder stands.

All of them take the steps and the sub-batches of the shared run: a task's own network, or a shared
one of fewer tasks, sees the same samples of each task in the same order.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from rbnn.compare.jobs import SINGLE, Job
from rbnn.compare.measure import measure
from rbnn.compare.measured import NetworkMeasurement, read_measured, write_measured
from rbnn.compare.plan import ComparisonPlan, read_plan, record_steps
from rbnn.container.plan import plan as lay_container_out
from rbnn.engine.compile import compiler, engine_sources
from rbnn.errors import RbnnError
from rbnn.nets.padding import pad
from rbnn.runs.errors import TrainingInterruptedError
from rbnn.runs.run import Run, RunConfig
from rbnn.runs.start import configure, write_run
from rbnn.spec.stream import MODEL_ID_BYTES
from rbnn.tasks import TaskData
from rbnn.tasks.loading_bar import LoadingBar

Say = Callable[[str], None]


def train_all(folder: Path, plan: ComparisonPlan, data: Sequence[TaskData], say: Say) -> None:
    """Train and measure what is missing; what is finished is left as it is.

    Args:
        folder: of the comparison.
        plan: what to train now, from :func:`rbnn.compare.choice.settle`.
        data: the plan's tasks, in its order.
        say: told of each network.

    Raises:
        TrainingInterruptedError: Ctrl-C; the network at hand is saved.
        RbnnError: something cannot be read or written.
    """
    # TensorFlow takes seconds to import.
    from rbnn.train.session import fit

    jobs = _timed_first(plan)
    if any(job.is_device_network for job in jobs):
        _check_measurable(configure(data, plan.training(plan.seeds[0]), bytes(MODEL_ID_BYTES)))
    for number, job in enumerate(jobs, 1):
        if is_finished(read_measured(folder / job.path), job, plan):
            continue
        own = [task for task in data if task.name in job.tasks]
        run = prepare(folder, plan, job, data)
        title = f"{number} of {len(jobs)}: {job.title}"
        say(f"Network {title}.")
        try:
            steps = fit(run, own, title)
        except TrainingInterruptedError as error:
            raise TrainingInterruptedError(
                error.what, f"Go on with: rbnn bench accuracy --out {folder}"
            ) from error
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
    """The run folder of a network; made where it is missing or was not made to its end.

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
    # Where training has begun, lost secrets must be restored: others would make noise of its bits.
    if run.config_file.exists() and (whole or run.checkpoint_folder.exists()):
        return run
    everything = configure(data, plan.training(job.seed), os.urandom(MODEL_ID_BYTES))
    write_run(run, narrowed(everything, folder, job, _steps(folder, everything, job)))
    return run


def narrowed(config: RunConfig, folder: Path, job: Job, steps: int | None) -> RunConfig:
    """The config of one network, made from that of all tasks.

    Args:
        config: of a shared run of all tasks.
        folder: of the comparison.
        job: the network.
        steps: that it takes; None where it is the one whose time decides.
    """
    run = Run(folder / job.path)
    alone = job.network == SINGLE

    def teacher(task: str) -> str | None:
        if alone or not config.taught:
            return None
        return Run(folder / Job(SINGLE, "none", (task,), job.seed).path).relative_to(run)

    tasks = tuple(
        task.model_copy(update={"teacher": teacher(task.name)})
        for task in config.tasks
        if task.name in job.tasks
    )
    update: dict[str, object] = {
        "tasks": tasks,
        "scheme": job.scheme,
        "baseline": False,  # the comparison trains them as networks of their own
    }
    if job.scheme == "none":
        update["trunk"] = 0
    if alone:
        update |= {"batch": tasks[0].batch, "sampling": 0.0, "shares": {}}
        update |= {"weights": {}, "superpose": False, "distill": None}
    if steps is not None:
        update |= {"steps": steps, "epochs": None, "minutes": None}
    return config.model_copy(update=update)


def _steps(folder: Path, config: RunConfig, job: Job) -> int | None:
    """Steps of a network: planned ones, else those that the first timed network took."""
    if config.planned_steps is not None:
        return config.planned_steps
    plan = read_plan(folder)
    if plan is not None and plan.steps is not None:
        return plan.steps
    if job.is_device_network:
        return None
    raise RbnnError(
        f"{folder} has no steps yet: with --minutes the shared network is trained first.",
        "Add its seed and scheme xor.",
    )


def _check_measurable(config: RunConfig) -> None:
    """Refuse now what a device's network would be refused for after hours of training.

    Raises:
        RbnnError: it does not fit the container, or the C engine cannot be built here.
    """
    lay_container_out(pad(config.topology()).topology)
    engine_sources()
    compiler()


def _timed_first(plan: ComparisonPlan) -> list[Job]:
    """The networks; with a time budget, the one that it is spent on comes before all others."""
    jobs = plan.jobs
    if plan.settings["minutes"] is None:
        return jobs
    return sorted(jobs, key=lambda job: not (job.is_device_network and job.seed == plan.seeds[0]))


def _free_networks() -> None:
    """Let TensorFlow forget the graphs of the last network."""
    from rbnn.nets.framework import tf

    tf.keras.backend.clear_session()
    gc.collect()
