"""The comparison as one Markdown page with its plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rbnn.compare.figures import AccuracyFigures
from rbnn.compare.jobs import DEVICE_SCHEME
from rbnn.compare.tables import accuracy_table, count_table, device_table, flash_table
from rbnn.nets.architectures import architecture
from rbnn.runs.settings import Settings

SHAPE = ("width", "depth", "stages")
PLOTS = "plots"
BY_TASK, BY_COUNT, FLASH, WRONG, CURVES = "tasks", "counts", "flash", "wrong-secrets", "curves"


def confusion_plot(task: str) -> str:
    """Name of the plot of a task's confusion matrix."""
    return f"confusion-{task}"


def place_in_folder(name: str) -> str:
    """Path of the plot of this name in the comparison's folder."""
    return f"{PLOTS}/{name}.svg"


def document(
    figures: AccuracyFigures,
    plots: Mapping[str, str],
    place: Callable[[str], str] = place_in_folder,
) -> str:
    """The page.

    Args:
        figures: of the comparison.
        plots: what each plot shows, by its name; only those that the page is to have.
        place: where the page finds a plot.
    """
    parts = [
        "# Accuracy: one parameter set against separate networks",
        _about(figures),
        f"```sh\n{figures.command}\n```",
    ]
    if figures.missing:
        parts.append(
            f"Unfinished. Networks still to be trained: {len(figures.missing)}; `accuracy.json` "
            "lists them."
        )

    def plot(name: str) -> None:
        if name in plots:
            parts.append(f"![{plots[name]}]({place(name)})")

    if figures.tasks:
        parts += ["## Accuracy by task", accuracy_table(figures).title + "."]
        parts.append(accuracy_table(figures).markdown())
        plot(BY_TASK)
    if figures.counts:
        parts += ["## Accuracy against the number of tasks", count_table(figures).title + "."]
        parts.append(count_table(figures).markdown())
        plot(BY_COUNT)
    if figures.flash:
        parts += ["## Flash", flash_table(figures).title + "."]
        parts.append(flash_table(figures).markdown())
        plot(FLASH)
    if any(task.wrong_secrets for task in figures.tasks):
        parts += ["## Wrong secrets", device_table(figures).title + "."]
        parts.append(device_table(figures).markdown())
        plot(WRONG)
    if CURVES in plots:
        parts.append("## Learning curves")
        plot(CURVES)
    confusions = [confusion_plot(task.name) for task in figures.tasks]
    if any(name in plots for name in confusions):
        parts.append(f"## Confusion matrices, shared network under {DEVICE_SCHEME}")
        for name in confusions:
            plot(name)
    return "\n\n".join(parts) + "\n"


def _about(figures: AccuracyFigures) -> str:
    settings = figures.settings
    chosen = architecture(str(settings["architecture"]))
    options = {name: settings[name] or getattr(chosen, name) for name in SHAPE}
    shape = [f"{name} {size}" for name, size in options.items() if size is not None]
    network = ", ".join([chosen.name, *shape])
    remarks = [
        setting.remark.format(setting.show(value) if isinstance(value, Mapping) else value)
        for setting, value in Settings(**settings).effective()
        if setting.remark
    ]
    bits = "" if figures.bits is None else f", {figures.bits:,} bits"
    steps = "" if figures.steps is None else f" {figures.steps:,} steps each,"
    return (
        f"{network}{bits};{steps} {figures.seconds / 3600:.1f} hours of training in total. Every "
        "network has the same shape, sees the same samples of its tasks in the same order, and is "
        "measured on the whole test set after its last step."
        + "".join(f" {remark}" for remark in remarks)
    )
