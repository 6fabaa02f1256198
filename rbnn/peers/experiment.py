"""``rbnn bench peers``: measure the shared set, train what is missing, write the table."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rbnn.compare.plan import locked
from rbnn.container.sizes import measure as measure_sizes
from rbnn.engine.compile import compiler, engine_sources
from rbnn.export.integer_predictor import current_container
from rbnn.files import write_atomic
from rbnn.peers.binary import measure_shared, separate_binary, shared_flash
from rbnn.peers.figures import PeerFigures, collect, peer_figures
from rbnn.peers.jobs import described, jobs, shared_job
from rbnn.peers.measured import read_measured, write_measured
from rbnn.peers.page import STEM, page
from rbnn.peers.plan import PeerPlan, PeerSettings, make_plan, resumed_plan
from rbnn.runs.errors import TrainingPausedError
from rbnn.runs.figures import read_figures, unfinished
from rbnn.runs.run import Run
from rbnn.runs.start import load_data
from rbnn.tasks.loading_bar import LoadingBar
from rbnn.train.interrupt import CLOCK, is_due
from rbnn.train.outlook import later_work

COMMAND = "rbnn bench peers"


def bench_peers(
    run: Run,
    settings: PeerSettings,
    folder: Path,
    say: Callable[[str], None],
    *,
    resume: bool = False,
    until: datetime | None = None,
) -> PeerFigures:
    """Compare a run with int8 networks; writes ``peers.json``, ``.md``, ``.svg`` and ``.png``.

    Args:
        run: trained for an epoch or more.
        settings: the user's choices; with ``resume`` only ``binary`` counts.
        folder: of the comparison; what it holds already is not computed again.
        say: told of what goes on.
        resume: take the settings from the folder.
        until: stop at this time as with Ctrl-C; None for never.

    Raises:
        TrainingInterruptedError: Ctrl-C, SIGTERM, or the time has come; the last step is saved.
        RbnnError: a setting is unusable, the run or its data cannot be read, the folder holds
            another comparison or cannot be written.
    """
    plan = resumed_plan(run, settings, folder) if resume else make_plan(run, settings)
    _check_measurable(run, plan)
    if remark := unfinished(run):
        say(f"note: {remark}")
    with locked(folder, COMMAND, "Wait for it to end, or choose another folder with --out."):
        plan = plan.hold(folder)
        if None in [one for row in collect(folder, plan).values() for one in row.values()]:
            _train(run, plan, folder, say, until)
        return write_report(run, folder, plan)


def write_report(run: Run, folder: Path, plan: PeerPlan, plot: bool = True) -> PeerFigures:
    """Write the document, the page and the plot from what has been measured so far.

    Args:
        run: that is compared.
        folder: of the comparison.
        plan: of the comparison.
        plot: False where no row has been finished since it was drawn.

    Raises:
        RbnnError: one of them cannot be written.
    """
    figures = peer_figures(run, folder, plan, collect(folder, plan))
    write_atomic(folder / f"{STEM}.json", figures.model_dump_json(indent=2) + "\n")
    write_atomic(folder / f"{STEM}.md", page(figures))
    if plot:
        # matplotlib takes a second to import.
        from rbnn.pages.plot_style import save, styled
        from rbnn.peers.plot import peers_plot

        with styled():
            save(peers_plot(figures), folder, STEM)
    return figures


def _check_measurable(run: Run, plan: PeerPlan) -> None:
    """Refuse before the training what would be refused after hours of it."""
    sizes = measure_sizes(current_container(run))
    engine_sources()
    compiler()
    if plan.binary:
        separate_binary(run.config(), plan.tasks, shared_flash(sizes, plan.tasks))


def _train(
    run: Run,
    plan: PeerPlan,
    folder: Path,
    say: Callable[[str], None],
    until: datetime | None,
) -> None:
    """Compute what is missing; the report is written after each network."""
    config = run.config()
    chosen = tuple(task for task in config.tasks if task.name in plan.tasks)
    with LoadingBar() as bar:
        data = load_data(config.model_copy(update={"tasks": chosen}), bar.show)
    flash = shared_flash(measure_sizes(current_container(run)), plan.tasks)
    planned = jobs(plan, described(data), flash)
    shared = folder / shared_job(plan).path
    if read_measured(shared) is None:
        say("Measuring the shared set.")
        epochs = read_figures(run)
        seconds = epochs[-1].seconds if epochs else 0.0
        write_measured(shared, measure_shared(run, plan, data, seconds))
        write_report(run, folder, plan)

    # TensorFlow is needed from here on; whatever can be refused without it has been.
    from rbnn.peers.train import Bench

    command = shlex.join([*COMMAND.split(), str(run.folder), "--out", str(folder), "--resume"])
    bench = Bench(run, plan, data, folder, flash, command, until)
    missing = [job for job in planned if read_measured(folder / job.path) is None]
    trials = len(plan.rates) * plan.trial_steps / plan.steps if len(plan.rates) > 1 else 0.0
    macs = config.topology().macs
    final = [job.work(plan, macs) for job in missing]
    whole = [
        work * (1 + (0.0 if job.shape is None else trials))
        for job, work in zip(missing, final, strict=True)
    ]
    for job, work, all_of_it, later in zip(missing, final, whole, later_work(whole), strict=True):
        number = planned.index(job) + 1
        if is_due(until):
            raise TrainingPausedError(
                f"Stopped at {datetime.now().strftime(CLOCK)} before network {number} of "
                f"{len(planned)} of {folder}; the others are saved.",
                command,
            )
        title = f"{number} of {len(planned)}: {job.title}"
        say(f"Network {title}.")
        bench.train(job, title, later * all_of_it / work)
        missing_in_row = [one for one in missing[missing.index(job) + 1 :] if one.row == job.row]
        write_report(run, folder, plan, plot=not missing_in_row)
