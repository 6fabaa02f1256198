"""The page's first line says who wins, from the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rbnn.errors import RbnnError
from rbnn.peers.figures import PeerFigures, collect, peer_figures
from rbnn.peers.jobs import Row, planned_paths
from rbnn.peers.measured import MeasuredNetwork, hits, read_measured, write_measured
from rbnn.peers.page import headline, page, summary
from rbnn.peers.plan import PeerPlan
from rbnn.runs.run import Run
from rbnn.runs.synthetic import write_synthetic_run

SAMPLES = 1000
SHARES: dict[Row, float] = {
    "shared": 0.80,
    "binary": 0.70,
    "int8": 0.85,
    "trunk": 0.75,
    "published": 0.90,
}


def planned(run: Run, tasks: tuple[str, ...] = ("first", "second")) -> PeerPlan:
    return PeerPlan(
        run=run.folder.name,
        model_id=run.config().model_id,
        parameters="00",
        tasks=tasks,
        seed=1,
        steps=10,
        batches=dict.fromkeys(tasks, 8),
        run_samples=dict.fromkeys(tasks, 80),
        rates=(0.001, 0.003),
        trial_steps=3,
        binary=True,
    )


def measured(row: Row, tasks: tuple[str, ...], share: float) -> MeasuredNetwork:
    truth = np.zeros(SAMPLES, np.int64)
    found = (np.arange(SAMPLES) >= share * SAMPLES).astype(np.int64)
    int8 = row in ("int8", "trunk", "published")
    return MeasuredNetwork(
        shape=row,
        scale=0.5 if int8 else None,
        tasks=tuple(hits(name, found, truth) for name in tasks),
        flash=1000,
        ram=2000,
        file=1500 if int8 else None,
        macs=10,
        instructions=3000 if int8 else 1000,
        steps=10,
        seconds=1.0,
        rate=0.003,
        rates={"0.001": 0.5, "0.003": 0.6} if int8 else {},
        agreement=0.99 if int8 else None,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_synthetic_run(tmp_path / "run", "vgg", width=32)


def figures_of(run: Run, folder: Path, shares: dict[Row, float]) -> PeerFigures:
    plan = planned(run)
    for row, paths in planned_paths(plan).items():
        for path in paths if row in shares else []:
            tasks = (path.name,) if path.name in plan.tasks else plan.tasks
            write_measured(folder / path, measured(row, tasks, shares[row]))
    return peer_figures(run, folder, plan, collect(folder, plan))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "2 int8 networks win in the same flash"),
        ({"trunk": 0.9}, "One int8 trunk with 2 heads wins in the same flash"),
        ({"binary": 0.9}, "2 separate binary networks win in the same flash"),
        ({"int8": 0.75}, "The shared binary set wins in the same flash"),
        ({"int8": 0.8}, "No difference was found in the same flash"),
    ],
)
def test_the_first_line_says_who_wins(
    run: Run, tmp_path: Path, changed: dict[Row, float], said: str
) -> None:
    found = figures_of(run, tmp_path / "out", {**SHARES, **changed})
    assert page(found).splitlines()[0] == f"# {said}"


def test_the_figures_of_the_winner_and_of_larger_networks_follow(run: Run, tmp_path: Path) -> None:
    found = figures_of(run, tmp_path / "out", SHARES)
    text = summary(found)
    assert "80.00 % on average" in text
    assert "2 int8 networks: 85.00 %, 5.00 points more (95 % interval +4.04 to +5.96)" in text
    assert "They take 3 times the instructions, 1 times the RAM." in text
    assert "2 int8 networks reach 90.00 %, 10.00 points more" in text
    assert "2 times the flash" in text
    whole = page(found)
    assert "| shared binary set | 1,000 |  | 2,000 | 1,000 | 1,000 | 80.00 |  |" in whole
    assert "first (1,000)" in whole
    assert "| int8 | second | 50.00 | 60.00 | 0.003 (edge) |" in whole
    assert "At least 99.00 % of each" in whole
    again = PeerFigures.model_validate_json(found.model_dump_json())
    assert page(again) == whole


def test_unequal_budgets_are_said_with_the_result(run: Run, tmp_path: Path) -> None:
    figures = figures_of(run, tmp_path / "out", SHARES)
    assert "The budgets differ" not in summary(figures)
    plan = figures.plan.model_copy(update={"steps": 25})
    longer = figures.model_copy(update={"plan": plan})
    said = "The budgets differ: the others saw 2.5 times the samples that the run drew."
    assert said in summary(longer)


def test_the_interval_is_paired(run: Run, tmp_path: Path) -> None:
    found = figures_of(run, tmp_path / "out", {**SHARES, "int8": 0.8})
    row = found.row("int8")
    # The same samples are right: no test sample tells the two apart.
    assert row is not None and row.gap is not None
    assert (row.gap.points, row.gap.low, row.gap.high) == (0, 0, 0)


def test_what_is_missing_is_said_and_not_ranked(run: Run, tmp_path: Path) -> None:
    shares = {row: share for row, share in SHARES.items() if row in ("shared", "trunk")}
    found = figures_of(run, tmp_path / "out", shares)
    assert headline(found) == "The shared binary set wins in the same flash (unfinished)"
    assert "Unfinished: 6 networks are still to be trained." in summary(found)
    row = found.row("int8")
    assert row is not None and not row.finished and row.flash is None
    nothing = figures_of(run, tmp_path / "other", {})
    assert page(nothing).startswith("# Peers: not measured yet")


def test_a_damaged_file_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text("{")
    with pytest.raises(RbnnError, match="the network is then trained again"):
        read_measured(tmp_path)
