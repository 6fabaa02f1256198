"""``rbnn bench theft``: plan, fine-tune, compare, and write the report."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.compare.jobs import SINGLE, Job
from rbnn.files import write_atomic
from rbnn.runs.run import Run
from rbnn.runs.start import load_data
from rbnn.tasks.loading_bar import LoadingBar
from rbnn.theft.findings import TheftReport, theft_report
from rbnn.theft.plan import (
    Experiment,
    FineTuning,
    FineTuningResult,
    choose_victims,
    parse_seeds,
    parse_shares,
    plan_cells,
    plan_experiment,
    read_result,
)

STEM = "theft"
"""Of the files that are written: .json, .md, .svg, .png."""


@dataclass(frozen=True)
class TheftSettings:
    """What the user may choose; texts as typed, see :mod:`rbnn.theft.plan`."""

    victims: Sequence[str] = ()
    other: str | None = None
    shares: str = "1,10,100"
    seeds: str = "1,2,3"
    steps: int = 300
    learning_rate: float | None = None
    magnitude: float = 1.0
    attack: str = "fine-tuning"
    queries: int = 1000
    unknown: int | None = None
    known: float = 90.0

    def command(self, run: Run, folder: Path) -> str:
        """The command that repeats the experiment."""
        words = ["rbnn", "bench", "theft", str(run.folder)]
        if self.attack != "fine-tuning":
            words += ["--attack", self.attack, "--queries", str(self.queries)]
            words += ["--known", f"{self.known:g}"]
            words += [] if self.unknown is None else ["--unknown", str(self.unknown)]
        for victim in self.victims:
            words += ["--victim", victim]
        words += [] if self.other is None else ["--other", self.other]
        words += ["--shares", self.shares, "--seeds", self.seeds, "--steps", str(self.steps)]
        if self.learning_rate is not None:
            words += ["--learning-rate", f"{self.learning_rate:g}"]
        return shlex.join([*words, "--magnitude", f"{self.magnitude:g}", "--out", str(folder)])


def bench_theft(
    run: Run, settings: TheftSettings, folder: Path, say: Callable[[str], None]
) -> TheftReport:
    """Rob a run and write ``theft.json``, ``theft.md``, ``theft.svg`` and ``theft.png``.

    Args:
        run: the attacked run, trained.
        settings: the user's choices.
        folder: of the experiment; what it holds already is not computed again.
        say: told of what goes on.

    Raises:
        RbnnError: a setting is unusable, the run or its data cannot be read, the folder holds
            another experiment or cannot be written, or the user interrupted.
    """
    others = choose_victims(run, settings.victims, settings.other)
    shares, seeds = parse_shares(settings.shares), parse_seeds(settings.seeds)
    experiment = plan_experiment(
        run, settings.other, settings.steps, settings.learning_rate, settings.magnitude
    )
    cells = plan_cells(others, shares, seeds)
    experiment.hold(folder)
    done = [read_result(folder, cell, others[cell.victim]) for cell in cells]
    results = [result for result in done if result is not None]
    if len(results) < len(cells):
        results = _rob(run, experiment, others, cells, folder, say)
    report = theft_report(settings.command(run, folder), run, experiment, results)
    write_report(report, folder)
    return report


def _rob(
    run: Run,
    experiment: Experiment,
    others: Mapping[str, str],
    cells: Sequence[FineTuning],
    folder: Path,
    say: Callable[[str], None],
) -> list[FineTuningResult]:
    """Compute what is missing."""
    config = run.config()
    needed = {*others, *others.values()}
    tasks = tuple(task for task in config.tasks if task.name in needed)
    with LoadingBar() as bar:
        data = load_data(config.model_copy(update={"tasks": tasks}), bar.show)

    # TensorFlow is needed from here on; whatever can be refused or reported without it has been.
    from rbnn.theft.thief import Thief

    trained = compared_networks(run, needed)
    return Thief(run, data, experiment, others, folder, say, trained).rob(cells)


def compared_networks(run: Run, tasks: Iterable[str]) -> dict[str, Run]:
    """The tasks' single-task networks of ``rbnn bench accuracy``, if that trained ``run``."""
    folder = run.folder.resolve()
    place = Path("shared", folder.parent.name, f"seed-{run.config().seed}")
    if folder.parts[-3:] != place.parts:
        return {}
    return {
        task: Run(folder.parents[2] / Job(SINGLE, "none", (task,), run.config().seed).path)
        for task in tasks
    }


def write_report(report: TheftReport, folder: Path) -> None:
    """Write the document, the page and the plot.

    Raises:
        RbnnError: one of them cannot be written.
    """
    from rbnn.pages.plot_style import save, styled
    from rbnn.theft.page import theft_page
    from rbnn.theft.plot import theft_plot

    write_atomic(folder / f"{STEM}.json", report.model_dump_json(indent=2) + "\n")
    write_atomic(folder / f"{STEM}.md", theft_page(report))
    with styled():
        save(theft_plot(report), folder, STEM)
