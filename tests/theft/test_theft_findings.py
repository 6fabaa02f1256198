"""The answers of a theft experiment, its tables, page and plot."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from rbnn.compare.jobs import Job
from rbnn.errors import RbnnError
from rbnn.runs.run import Run
from rbnn.theft.experiment import compared_networks, write_report
from rbnn.theft.findings import TheftReport, require_no_gain, theft_report
from rbnn.theft.page import theft_page, theft_tables
from rbnn.theft.plan import Experiment, FineTuningResult, plan_cells
from rbnn.theft.starts import Start

EXPERIMENT = Experiment(
    model_id="0" * 32, parameters="1" * 64, other=None, steps=9, learning_rate=0.01, magnitude=1.0
)
CONTROL = {Start.VICTIM: 12.0}


@pytest.fixture
def report(random_export: Callable[..., Any]) -> Callable[..., TheftReport]:
    """Call it with the points that starts gain over the others; the noise is half a point."""
    run: Run = random_export().run

    def make(
        gains: Mapping[Start, float],
        seeds: int = 3,
        victims: tuple[str, ...] = ("a", "b", "c", "d", "e"),
    ) -> TheftReport:
        rng = np.random.default_rng(2)
        cells = plan_cells(victims, [1, 10], range(1, seeds + 1))
        results = [
            FineTuningResult(
                **cell.model_dump(),
                other="other",
                samples=int(10 * cell.share),
                steps=9,
                seconds=1.0,
                loss=0.1,
                train_accuracy=1.0,
                test_accuracy=0.5 + (gains.get(cell.start, 0) + rng.normal(0, 0.5)) / 100,
            )
            for cell in cells
        ]
        return theft_report("rbnn bench theft X --out Y", run, EXPERIMENT, results)

    return make


def outcomes(report: TheftReport) -> dict[str, str]:
    return {verdict.question: verdict.outcome for verdict in report.verdicts}


def test_equal_starts_pass_if_the_control_gains(report: Callable[..., TheftReport]) -> None:
    made = report(CONTROL)
    assert outcomes(made) == {
        "bits": "passed", "licence": "passed", "glorot": "passed", "control": "passed"
    }  # fmt: skip
    assert "could have been missed" in made.verdicts[0].sentence
    require_no_gain(made)


def test_a_gain_is_found_and_fails(report: Callable[..., TheftReport]) -> None:
    made = report({**CONTROL, Start.BITS: 3.0})
    assert outcomes(made)["bits"] == "failed"
    assert outcomes(made)["licence"] == "passed"
    assert outcomes(made)["glorot"] == "open"  # only for information
    with pytest.raises(RbnnError, match="A thief gains: stored bits over random bits"):
        require_no_gain(made)


def test_a_lucky_draw_for_one_victim_is_no_gain(report: Callable[..., TheftReport]) -> None:
    made = report({**CONTROL, Start.BITS: 3.0}, victims=("a", "b"), seeds=5)
    assert outcomes(made)["bits"] == "open"
    assert "Fewer than 3 victims cannot tell" in made.verdicts[0].sentence
    (own,) = [
        one for one in made.comparisons if (one.question, one.victim, one.share) == ("bits", "a", 1)
    ]
    assert own.test.significant
    require_no_gain(made)


def test_if_the_control_gains_nothing_the_claims_stay_open(
    report: Callable[..., TheftReport],
) -> None:
    made = report({})
    assert outcomes(made) == {
        "bits": "open", "licence": "open", "glorot": "passed", "control": "failed"
    }  # fmt: skip
    require_no_gain(made)


def test_one_pair_tests_nothing(report: Callable[..., TheftReport]) -> None:
    made = report({**CONTROL, Start.BITS: 30.0}, seeds=1, victims=("a",))
    assert set(outcomes(made).values()) == {"open"}
    assert "| a | 1 % |" in theft_page(made)


def test_pairs_are_of_one_victim_share_and_seed(report: Callable[..., TheftReport]) -> None:
    made = report(CONTROL)
    figures = made.figures[0]
    assert (figures.victim, figures.share, figures.samples) == ("a", 1, 10)
    expected = np.subtract(figures.of(Start.BITS).accuracies, figures.of(Start.RANDOM).accuracies)
    (one,) = [
        one for one in made.comparisons if (one.question, one.victim, one.share) == ("bits", "a", 1)
    ]
    np.testing.assert_allclose(one.test.differences, expected)
    (both,) = [
        one
        for one in made.comparisons
        if (one.question, one.victim, one.share) == ("bits", None, 1)
    ]
    assert both.test.pairs == 5
    assert both.test.differences[0] == pytest.approx(np.mean(expected))


def test_documents_are_written_and_read_again(
    report: Callable[..., TheftReport], tmp_path: Path
) -> None:
    made = report(CONTROL)
    write_report(made, tmp_path)
    assert TheftReport.model_validate_json((tmp_path / "theft.json").read_bytes()) == made
    page = (tmp_path / "theft.md").read_text()
    assert "rbnn bench theft X --out Y" in page
    assert "| a (other) | 1 % = 10 |" in page
    assert "![" in page and "(theft.svg)" in page
    assert (tmp_path / "theft.svg").read_text().startswith("<?xml")
    assert (tmp_path / "theft.png").read_bytes().startswith(b"\x89PNG")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(theft_tables(made))
    text = console.export_text()
    assert "a (other)" in text
    assert "passed: stored bits over random bits." in text


def test_single_task_networks_of_a_comparison_are_found(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    config = random_export().run.config()
    job = Job("xor", "xor", ("colour", "grey"), config.seed)
    run = Run(tmp_path / job.path)
    run.write_config(config)
    own = Job("single", "none", ("grey",), config.seed)
    assert compared_networks(run, ["grey"])["grey"].folder == tmp_path / own.path
    elsewhere = Run(tmp_path / "runs" / "one")
    elsewhere.write_config(config)
    assert compared_networks(elsewhere, ["grey"]) == {}
