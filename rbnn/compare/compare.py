"""``rbnn bench accuracy``: one parameter set for all tasks against a network for each.

Both are trained under one budget, on the same samples. A comparison can be continued and extended
at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rbnn.compare.choice import ComparisonChoice, draft, settle
from rbnn.compare.figures import AccuracyFigures
from rbnn.compare.plan import locked
from rbnn.compare.report import write_report
from rbnn.compare.teachers import place
from rbnn.compare.train import train_all
from rbnn.tasks import find_again, parse_specs
from rbnn.tasks.load import load
from rbnn.tasks.loading_bar import LoadingBar
from rbnn.tasks.overlap import overlap_warnings


def compare_networks(
    folder: Path,
    tasks: str | None,
    choice: ComparisonChoice,
    say: Callable[[str], None],
    summary: Path | None = None,
    until: datetime | None = None,
) -> AccuracyFigures:
    """Train and measure what is missing in ``folder``, then write its report.

    Args:
        folder: of the comparison, new or existing.
        tasks: as ``--tasks`` takes them; None for those of an existing comparison.
        choice: what the user asks for.
        say: called with a line about each network.
        summary: as :func:`rbnn.compare.report.write_report` takes it.
        until: stop the training at this time as with Ctrl-C; None for never.

    Raises:
        RbnnError: the comparison has other settings, a setting is unusable, the user stopped the
            training, or something cannot be read or written.
    """
    given = None if tasks is None else [str(spec) for spec in parse_specs(tasks)]
    specs, filled = draft(folder, given, choice)
    with LoadingBar() as bar:
        data = [
            load(find_again(spec), form=filled.form(spec.partition("=")[0]), progress=bar.show)
            for spec in specs
        ]
    for warning in overlap_warnings(data):
        say(f"warning: {warning}")
    with locked(folder):
        plan = settle(folder, specs, filled, data, place(folder, filled, data, say))
        train_all(folder, plan, data, say, until)
        return write_report(folder, summary)
