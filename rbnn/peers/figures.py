"""From what was measured of each network to the table: ``peers.json``.

Accuracies are shares of 1, gaps percentage points: positive if a row is better than the shared set.
A gap's 95 % interval is paired, over the test samples of each task, by the normal approximation; it
says how well the test sets tell two networks apart, not how another seed would have come out.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from rbnn.frozen import Frozen
from rbnn.peers.jobs import SAME_FLASH, SHARED, Row, planned_paths
from rbnn.peers.measured import MeasuredNetwork, TaskHits, read_measured
from rbnn.peers.plan import PeerPlan
from rbnn.runs.figures import unfinished
from rbnn.runs.run import Run

Z = 1.959964
"""Of a two-sided 95 % interval."""


class Gap(Frozen):
    """Accuracy of a row minus that of the shared set, points, with its 95 % interval."""

    points: float
    low: float
    high: float


class PeerRow(Frozen):
    """One way of giving a device all tasks.

    ``networks`` is how many it consists of when it is finished; ``flash`` and ``files`` are those
    of all of them, ``ram`` that of the largest, ``instructions`` the mean over the tasks'
    inferences and ``most_instructions`` the largest. ``mean`` is over the tasks, and ``gap`` that
    of the means; both are None until every network is measured, and so are all sizes.
    """

    row: Row
    title: str
    networks: int
    shapes: tuple[str, ...]
    scale: float | None
    finished: bool
    flash: int | None
    files: int | None
    ram: int | None
    instructions: float | None
    most_instructions: int | None
    accuracies: dict[str, float]
    gaps: dict[str, Gap]
    mean: float | None
    gap: Gap | None


class ChosenRate(Frozen):
    """The learning rate of one int8 network, and the validation accuracy of all that were tried."""

    row: Row
    network: str
    rate: float
    rates: dict[str, float]

    @property
    def is_at_the_edge(self) -> bool:
        """Whether a rate beyond those that were tried might be better."""
        rates = [float(rate) for rate in self.rates]
        return len(rates) > 1 and self.rate in (min(rates), max(rates))


class PeerFigures(Frozen):
    """``peers.json``: everything that has been measured so far.

    ``remark`` says that the run itself is not finished; empty otherwise. ``missing`` are the
    folders of networks that are still to be trained. ``seconds`` is the time of the last training
    of each network, trials of learning rates not included. ``agreement`` is the lowest share of
    training samples for which an int8 network finds the same class as its float form.
    """

    version: int = 1
    command: str
    run: str
    remark: str
    plan: PeerPlan
    architecture: str
    taught: bool
    teachers: tuple[str, ...]
    samples: dict[str, int]
    rows: tuple[PeerRow, ...]
    rates: tuple[ChosenRate, ...]
    agreement: float | None
    seconds: float
    missing: tuple[str, ...]

    def row(self, name: str) -> PeerRow | None:
        """The row called ``name``."""
        return next((row for row in self.rows if row.row == name), None)

    @property
    def shared(self) -> PeerRow | None:
        """The shared set; None until it is measured."""
        row = self.row(SHARED)
        return row if row is not None and row.finished else None

    @property
    def best_in_flash(self) -> PeerRow | None:
        """The finished row with the highest mean among those in the flash of the shared set."""
        rows = [row for row in self.rows if row.row in SAME_FLASH and row.mean is not None]
        return max(rows, key=lambda row: row.mean or 0.0, default=None)


def collect(folder: Path, plan: PeerPlan) -> dict[Row, dict[Path, MeasuredNetwork | None]]:
    """What has been measured so far, by row and folder.

    Raises:
        RbnnError: a file is damaged.
    """
    return {
        row: {path: read_measured(folder / path) for path in paths}
        for row, paths in planned_paths(plan).items()
    }


def peer_figures(
    run: Run,
    folder: Path,
    plan: PeerPlan,
    measured: Mapping[Row, Mapping[Path, MeasuredNetwork | None]],
) -> PeerFigures:
    """Put the rows side by side.

    Args:
        run: that is compared.
        folder: of the comparison.
        plan: of the comparison.
        measured: from :func:`collect`.
    """
    config = run.config()
    base = _by_task(measured["shared"].values())
    there = {path: one for networks in measured.values() for path, one in networks.items() if one}
    int8 = [one for one in there.values() if one.agreement is not None]
    found = {hit.name: hit.samples for one in there.values() for hit in one.tasks}
    return PeerFigures(
        command=plan.command(run, folder),
        run=plan.run,
        remark=unfinished(run),
        plan=plan,
        architecture=config.architecture,
        taught=config.taught,
        teachers=tuple(
            task.name for task in config.tasks if task.name in plan.tasks and task.float_teacher
        ),
        samples={name: found[name] for name in plan.tasks if name in found},
        rows=tuple(
            _row(row, list(networks.values()), plan.tasks, base)
            for row, networks in measured.items()
        ),
        rates=tuple(
            ChosenRate(row=row, network=path.name, rate=one.rate, rates=one.rates)
            for row, networks in measured.items()
            for path, one in networks.items()
            if one and one.rates and one.rate is not None
        ),
        agreement=min((one.agreement for one in int8 if one.agreement is not None), default=None),
        seconds=round(sum(one.seconds for path, one in there.items() if path.name != SHARED), 1),
        missing=tuple(
            str(path)
            for networks in measured.values()
            for path, one in networks.items()
            if one is None
        ),
    )


def title_of(row: Row, tasks: int) -> str:
    """How a row is called, for so many tasks."""
    s = "" if tasks == 1 else "s"
    titles: dict[Row, str] = {
        "shared": "shared binary set",
        "binary": f"{tasks} separate binary network{s}",
        "int8": f"{tasks} int8 network{s} in the same flash",
        "trunk": f"one int8 trunk with {tasks} heads",
        "published": f"{tasks} int8 network{s} of published size",
    }
    return titles[row]


def _by_task(networks: Iterable[MeasuredNetwork | None]) -> dict[str, TaskHits]:
    return {hit.name: hit for one in networks if one for hit in one.tasks}


def _row(
    row: Row,
    networks: Sequence[MeasuredNetwork | None],
    tasks: Sequence[str],
    base: Mapping[str, TaskHits],
) -> PeerRow:
    there = [one for one in networks if one is not None]
    own = _by_task(there)
    whole = len(there) == len(networks)
    both = {} if row == SHARED else {name: own[name] for name in tasks if name in own}
    gaps = {name: _gap([(hit, base[name])]) for name, hit in both.items() if name in base}
    accuracies = {name: own[name].accuracy for name in tasks if name in own}
    files = [one.file for one in there if one.file is not None]
    return PeerRow(
        row=row,
        title=title_of(row, len(tasks)),
        networks=len(networks),
        shapes=tuple(dict.fromkeys(one.shape for one in there)),
        scale=there[0].scale if there else None,
        finished=whole,
        flash=sum(one.flash for one in there) if whole else None,
        files=sum(files) if whole and files else None,
        ram=max(one.ram for one in there) if whole else None,
        instructions=statistics.fmean(one.instructions for one in there) if whole else None,
        most_instructions=max(one.instructions for one in there) if whole else None,
        accuracies=accuracies,
        gaps=gaps,
        mean=statistics.fmean(accuracies.values()) if whole else None,
        gap=_gap([(own[name], base[name]) for name in tasks])
        if whole and len(gaps) == len(tasks)
        else None,
    )


def _gap(pairs: Sequence[tuple[TaskHits, TaskHits]]) -> Gap:
    """Of the mean over some tasks; each pair is a row's hits and the shared set's."""
    means, variances = [], []
    for own, shared in pairs:
        difference = own.right.astype(np.float64) - shared.right
        means.append(float(difference.mean()))
        variances.append(float(difference.var()) / len(difference))
    mean = statistics.fmean(means)
    half = Z * math.sqrt(sum(variances)) / len(pairs)
    return Gap(points=100 * mean, low=100 * (mean - half), high=100 * (mean + half))
