"""The figures of a packed model's demonstration as tables for the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rbnn.demo.packed_figures import PackedFigures
from rbnn.demo.tables import refusals_table


def seven_report(figures: PackedFigures) -> RenderableType:
    """Everything that ``rbnn demo --seven`` measured."""
    return Group(
        _accuracy(figures), _flash(figures), refusals_table(figures.refusals), _summary(figures)
    )


def _accuracy(figures: PackedFigures) -> Table:
    table = Table(
        title=f"{len(figures.tasks)} tasks from one set of {figures.bits:,} bits",
        title_justify="left",
        caption="Test set: accuracy when the model was packed. Probes: whether the device's layers "
        "equal the recorded ones.",
        caption_justify="left",
    )
    # Emulated time is a number of instructions.
    unit = "ms" if figures.tasks[0].switch_instructions is None else "instructions"
    columns = ("classes", "test set", "on the device", "probes")
    table.add_column("task")
    for name in (*columns, f"switch, {unit}", f"inference, {unit}"):
        table.add_column(name, justify="right")
    for task in figures.tasks:
        table.add_row(
            task.name,
            str(task.classes),
            f"{task.recorded:.2%}",
            task.no_data if task.device is None else f"{task.device:.1%} of {task.device_samples}",
            "equal" if not task.differing_layers else f"{task.differing_layers} differ",
            _time(task.switch_us, task.switch_instructions),
            _time(task.inference_us, task.inference_instructions),
        )
    return table


def _flash(figures: PackedFigures) -> Table:
    table = Table(title="Flash, bytes", title_justify="left")
    table.add_column("part", no_wrap=True)
    table.add_column("shared network", justify="right")
    table.add_column("separate networks", justify="right")
    table.add_row("shared bits and graph", f"{figures.shared_bytes:,}", "")
    for task in figures.tasks:
        table.add_row(
            f"{task.name}: parameters, labels, licence",
            f"{task.own_bytes:,}",
            f"{task.separate_bytes:,}",
        )
    table.add_section()
    table.add_row("total", f"{figures.together_bytes:,}", f"{figures.separate_bytes:,}")
    return table


def _summary(figures: PackedFigures) -> Text:
    count, image = len(figures.tasks), figures.image
    return Text(
        f"{count} tasks take {figures.flash_ratio:.2f} times the flash of one, "
        f"and {figures.together_bytes / figures.separate_bytes:.0%} of that of {count} "
        "separate networks.\n"
        f"Board {image.board}: {image.flash:,} of {image.flash_limit:,} bytes of flash, "
        f"{image.ram:,} of {image.ram_limit:,} of RAM; "
        f"stack {figures.stack_used:,} of {image.stack:,}.\n"
        f"Model: {figures.model}. Took {figures.seconds:.0f} s."
    )


def _time(us: float, instructions: int | None) -> str:
    return f"{us / 1000:.2f}" if instructions is None else f"{instructions:,}"
