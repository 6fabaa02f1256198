"""Write the report of a comparison, finished or not.

::

    FOLDER/
        benchmark.json          tasks, settings, and which networks were requested
        accuracy.json           AccuracyFigures
        accuracy.md             the same as tables and plots
        plots/                  each as SVG and PNG
        single/TASK/seed-1/     run folders, each with its measured.json
        shared/NETWORK/seed-1/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rbnn.compare.document import (
    BY_COUNT,
    BY_TASK,
    CURVES,
    FLASH,
    PLOTS,
    WRONG,
    confusion_plot,
    document,
)
from rbnn.compare.figures import AccuracyFigures, collect, compare
from rbnn.compare.jobs import Job
from rbnn.compare.measured import NetworkMeasurement
from rbnn.compare.plan import require_plan
from rbnn.compare.summary import summarise
from rbnn.files import write_atomic

JSON_FILE = "accuracy.json"
DOCUMENT_FILE = "accuracy.md"


def write_report(folder: Path, summary: Path | None = None) -> AccuracyFigures:
    """Write ``accuracy.json``, ``accuracy.md`` and the plots from what has been measured so far.

    Args:
        folder: of an existing comparison.
        summary: JSON file for :func:`rbnn.compare.summary.summarise`, or None. The document without
            confusion matrices and its plots are written next to it, under the same name.

    Raises:
        RbnnError: the folder holds no comparison, there is too little to summarise yet, or a file
            cannot be written.
    """
    plan = require_plan(folder)
    measured = collect(folder, plan)
    figures = compare(plan, measured)
    plots = _draw(folder / PLOTS, figures, measured)
    write_atomic(folder / JSON_FILE, figures.model_dump_json(indent=2) + "\n")
    write_atomic(folder / DOCUMENT_FILE, document(figures, plots))
    if summary is not None:
        _write_summary(folder / PLOTS, figures, plots, summary)
    return figures


def _write_summary(
    drawn: Path, figures: AccuracyFigures, plots: Mapping[str, str], path: Path
) -> None:
    """Write the summary to ``path``, and the document and plots next to it."""
    brief = summarise(figures)
    confusions = {confusion_plot(task.name) for task in figures.tasks}
    shown = {name: about for name, about in plots.items() if name not in confusions}

    def place(name: str) -> str:
        return f"{path.stem}-{name}.svg"

    for name in shown:
        write_atomic(path.with_name(place(name)), (drawn / f"{name}.svg").read_bytes())
    write_atomic(path.with_suffix(".md"), document(figures, shown, place))
    write_atomic(path, brief.model_dump_json(indent=2) + "\n")


def _draw(
    folder: Path, figures: AccuracyFigures, measured: Mapping[Job, NetworkMeasurement]
) -> dict[str, str]:
    """Draw every plot for which there are figures; returns what each shows, by its name."""
    if not figures.tasks:
        return {}
    # matplotlib takes a second to import.
    from rbnn.compare import confusion, curves, plots
    from rbnn.pages.plot_style import save, styled

    names = [task.name for task in figures.tasks]
    drawn = {BY_TASK: "Test accuracy of every task in every network"}
    with styled():
        save(plots.by_task(figures), folder, BY_TASK)
        if figures.counts:
            drawn[BY_COUNT] = "Accuracy against the number of tasks"
            save(plots.by_count(figures), folder, BY_COUNT)
        if figures.flash:
            drawn[FLASH] = "Flash against the number of tasks"
            save(plots.flash_by_count(figures.flash), folder, FLASH)
        if any(task.wrong_secrets for task in figures.tasks):
            drawn[WRONG] = "Accuracy with wrong secrets, compared with chance"
            save(plots.wrong_secrets(figures.tasks), folder, WRONG)
        drawn[CURVES] = "Test accuracy after every epoch"
        save(curves.learning_curves(names, measured), folder, CURVES)
        device = {job.seed: one for job, one in measured.items() if job.is_device_network}
        for task in figures.tasks if device else ():
            name = confusion_plot(task.name)
            drawn[name] = f"Confusion matrix of {task.name}"
            counts = confusion.confusion_counts(
                [one.task(task.name).confusion for one in device.values()]
            )
            title = (
                f"{task.name} in the shared network, seed{'s' if len(device) > 1 else ''} "
                + ", ".join(str(seed) for seed in sorted(device))
            )
            save(confusion.confusion_matrix(title, task.labels, counts), folder, name)
    return drawn
