"""The demonstration's figures as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rbnn.demo.figures import DemoFigures, DemoTaskFigures, Refusal


def demo_report(figures: DemoFigures) -> RenderableType:
    """Everything that ``rbnn demo`` measured."""
    return Group(
        _accuracy(figures),
        _flash(figures),
        refusals_table(figures.refusals),
        _cost(figures),
        _summary(figures),
    )


def _accuracy(figures: DemoFigures) -> Table:
    table = Table(title="Test accuracy from one parameter set", title_justify="left")
    table.add_column("task")
    table.add_column("computed by", no_wrap=True)  # each line has its figures beside it
    table.add_column("samples", justify="right")
    table.add_column("accuracy", justify="right")
    table.add_column("against the reference")
    for task in figures.tasks:
        table.add_section()
        whole = str(task.test_samples)
        table.add_row(
            f"{task.name}\n{task.classes} classes",
            "Keras\nintegers (numpy, C)\nthe device",
            f"{whole}\n{whole}\n{task.device_samples}",
            f"{task.keras:.2%}\n{task.reference:.2%}\n{task.device:.2%}",
            f"{task.agreement:.2%} same class\n"
            f"{task.differing_outputs} differing bytes\n{task.differing_layers} differing layers",
        )
    return table


def _flash(figures: DemoFigures) -> Table:
    table = Table(title="Flash", title_justify="left")
    table.add_column("part", no_wrap=True)
    table.add_column("shared network", justify="right")
    table.add_column("separate networks", justify="right")
    table.add_row(f"shared parameters ({figures.bits:,} bits)", _bytes(figures.shared_bytes), "")
    for task in figures.tasks:
        share = task.own_bytes / figures.shared_bytes
        table.add_row(
            f"{task.name}, own part ({share:.1%} of the shared)",
            _bytes(task.own_bytes),
            _bytes(task.separate_bytes),
        )
    own = figures.shared_bytes + sum(task.own_bytes for task in figures.tasks)
    table.add_section()
    table.add_row("total", _bytes(own), _bytes(sum(t.separate_bytes for t in figures.tasks)))
    return table


def refusals_table(refusals: Sequence[Refusal]) -> Table:
    """What was tried without the right key or device, and what the board answered."""
    table = Table(title="What the board refuses", title_justify="left")
    table.add_column("attempt")
    table.add_column("answer")
    for refusal in refusals:
        table.add_row(Text(refusal.attempt), Text(f"{refusal.status}: {refusal.text}"))
    return table


def _cost(figures: DemoFigures) -> Table:
    table = Table(title="Instructions on the emulated Cortex-M4", title_justify="left")
    table.add_column("task")
    table.add_column("switch to it", justify="right")
    table.add_column("one inference", justify="right")
    for task in figures.tasks:
        table.add_row(task.name, _count(task, "switch"), _count(task, "inference"))
    return table


def _summary(figures: DemoFigures) -> Text:
    image = figures.image
    return Text(
        f"Board {image.board}: {image.flash:,} of {image.flash_limit:,} bytes of flash, "
        f"{image.ram:,} of {image.ram_limit:,} of RAM; "
        f"stack {figures.stack_used:,} of {image.stack:,}.\n"
        f"Run: {figures.run}. Took {figures.seconds:.0f} s."
    )


def _bytes(count: int) -> str:
    return f"{count:,} bytes"


def _count(task: DemoTaskFigures, what: str) -> str:
    return f"{getattr(task, what + '_instructions'):,}"
