"""What a theft experiment shows: accuracies by start, and whether stolen bits were worth anything.

Four comparisons, each in pairs with the same victim, share and seed, and so with the same data in
the same order. Two of them must show no gain; the third compares a start from bits with the usual
one; the fourth must show a gain, or else the experiment could not have detected a theft.

The stored bits are one draw, and so are the networks: if they happen to suit a victim, they do so
with all of its seeds. So the seeds of a victim are averaged, and the victims are tested together,
with one difference each; only these tests decide. The test of a single victim, over its seeds, says
whether these particular bits did better, not why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import computed_field

from rbnn.errors import ExitCode, RbnnError
from rbnn.frozen import Frozen
from rbnn.runs.run import Run
from rbnn.theft.plan import Experiment, FineTuningResult
from rbnn.theft.starts import Start
from rbnn.theft.statistics import PairedTest, correct, paired_test

Role = Literal["claim", "beside", "control"]
FEWEST_VICTIMS = 3
"""For a verdict: with two, the test depends on how similar their differences happen to be."""


@dataclass(frozen=True)
class Question:
    """Whether one start gains over another.

    ``role``: a ``claim`` must show no gain, a ``control`` must show one; ``beside`` is only for
    information.
    """

    name: str
    title: str
    gains: Start
    over: Start
    role: Role


QUESTIONS = (
    Question("bits", "stored bits over random bits", Start.BITS, Start.RANDOM, "claim"),
    Question(
        "licence",
        "stored bits with another task's licence over that task's single-task network",
        Start.LICENCE,
        Start.ALONE,
        "claim",
    ),
    Question(
        "glorot", "stored bits over the usual start of training", Start.BITS, Start.GLOROT, "beside"
    ),
    Question(
        "control",
        "control: the victim's own bits over random bits",
        Start.VICTIM,
        Start.RANDOM,
        "control",
    ),
)


class StartFigures(Frozen):
    """Test accuracies in percent from one start, one per seed, in the order of the seeds."""

    start: Start
    accuracies: tuple[float, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.accuracies))


class ShareFigures(Frozen):
    """One victim with one share of its training data, of ``samples`` samples."""

    victim: str
    other: str
    share: float
    samples: int
    starts: tuple[StartFigures, ...]

    def of(self, start: Start) -> StartFigures:
        """The figures from ``start``."""
        return next(figures for figures in self.starts if figures.start is start)

    def differences(self, question: Question) -> list[float]:
        """Percentage points, one per seed."""
        pairs = zip(
            self.of(question.gains).accuracies, self.of(question.over).accuracies, strict=True
        )
        return [gains - over for gains, over in pairs]


class StartComparison(Frozen):
    """One question at one share.

    If ``victim`` is None, all victims are tested together, with one difference each, the mean over
    its seeds; otherwise the seeds of that victim are tested. P-values are adjusted within a
    question, separately for the tests of all victims and for those of single victims.
    """

    question: str
    share: float
    victim: str | None
    test: PairedTest


class Verdict(Frozen):
    """The answer to one question, in a word and in a sentence."""

    question: str
    title: str
    role: Role
    outcome: Literal["passed", "failed", "open"]
    sentence: str


class TheftReport(Frozen):
    """``theft.json``. Accuracies are percentages, differences percentage points."""

    command: str
    run: str
    architecture: str
    bits: int
    experiment: Experiment
    seeds: tuple[int, ...]
    shares: tuple[float, ...]
    figures: tuple[ShareFigures, ...]
    comparisons: tuple[StartComparison, ...]
    verdicts: tuple[Verdict, ...]


def theft_report(
    command: str,
    run: Run,
    experiment: Experiment,
    results: Sequence[FineTuningResult],
) -> TheftReport:
    """Compare the results of an experiment.

    Args:
        command: that repeats it.
        run: the attacked run.
        experiment: what the cells have in common.
        results: every cell: the same starts and seeds for every victim and share.
    """
    config = run.config()
    seeds = sorted({result.seed for result in results})
    shares = sorted({result.share for result in results})
    victims = list(dict.fromkeys(result.victim for result in results))
    figures = [
        _share_figures([one for one in results if (one.victim, one.share) == (victim, share)])
        for victim in victims
        for share in shares
    ]
    comparisons = [one for question in QUESTIONS for one in _compare(question, figures)]
    return TheftReport(
        command=command,
        run=run.folder.name,
        architecture=config.shape_text,
        bits=config.topology().bits,
        experiment=experiment,
        seeds=tuple(seeds),
        shares=tuple(shares),
        figures=tuple(figures),
        comparisons=tuple(comparisons),
        verdicts=tuple(_verdicts(comparisons)),
    )


def require_no_gain(report: TheftReport) -> None:
    """Refuse a run whose stolen bits are worth something.

    Raises:
        RbnnError: names the claims that failed.
    """
    failed = [
        verdict.title
        for verdict in report.verdicts
        if verdict.role == "claim" and verdict.outcome == "failed"
    ]
    if failed:
        raise RbnnError(
            f"A thief gains: {'; '.join(failed)}.",
            "Measure again with more seeds, or attack a newly trained run; if the gain persists, "
            "do not ship this run.",
            exit_code=ExitCode.CHECK_FAILED,
        )


def _share_figures(results: Sequence[FineTuningResult]) -> ShareFigures:
    """Figures of one victim and share."""
    first = results[0]
    return ShareFigures(
        victim=first.victim,
        other=first.other,
        share=first.share,
        samples=first.samples,
        starts=tuple(
            StartFigures(
                start=start,
                accuracies=tuple(
                    100 * one.test_accuracy
                    for one in sorted(results, key=lambda result: result.seed)
                    if one.start is start
                ),
            )
            for start in Start
        ),
    )


def _compare(question: Question, figures: Sequence[ShareFigures]) -> list[StartComparison]:
    """All comparisons of one question: of all victims together, then victim by victim."""
    shares = list(dict.fromkeys(one.share for one in figures))
    together = correct(
        [
            paired_test(
                [float(np.mean(one.differences(question))) for one in figures if one.share == share]
            )
            for share in shares
        ]
    )
    apart = correct([paired_test(one.differences(question)) for one in figures])
    return [
        *(
            StartComparison(question=question.name, share=share, victim=None, test=test)
            for share, test in zip(shares, together, strict=True)
        ),
        *(
            StartComparison(question=question.name, share=one.share, victim=one.victim, test=test)
            for one, test in zip(figures, apart, strict=True)
        ),
    ]


def _verdicts(comparisons: Sequence[StartComparison]) -> list[Verdict]:
    by_question = {
        question: [one for one in comparisons if one.question == question.name]
        for question in QUESTIONS
    }
    seen = any(
        one.test.significant
        for question, own in by_question.items()
        if question.role == "control"
        for one in own
        if one.victim is None
    )
    return [_verdict(question, own, seen) for question, own in by_question.items()]


def _verdict(question: Question, comparisons: Sequence[StartComparison], seen: bool) -> Verdict:
    """Answer one question; ``seen``: whether the control shows that a theft would be detected."""
    together = [one for one in comparisons if one.victim is None]
    found = [one for one in together if one.test.significant]
    gains = "; ".join(_told(one) for one in together)
    outcome: Literal["passed", "failed", "open"]
    if any(one.test.pairs < FEWEST_VICTIMS for one in together):
        outcome, word = "open", f"Fewer than {FEWEST_VICTIMS} victims cannot tell a gain from luck."
    elif question.role == "control":
        outcome = "passed" if seen else "failed"
        word = (
            "The right bits help: this experiment would detect a theft."
            if seen
            else "Even the right bits do not help: this experiment cannot detect a theft."
        )
    elif found:
        outcome = "failed" if question.role == "claim" else "open"
        shares = ", ".join(f"{one.share:g} %" for one in found)
        word = f"A significant gain with {shares} of the data."
        if question.role == "beside":
            word += " If random bits do as well, it is due to the size of the latent values."
    elif question.role == "claim" and not seen:
        outcome, word = "open", "No significant gain, but the control shows none either."
    else:
        outcome, word = "passed", "No significant gain."
    if outcome == "passed" and question.role != "control":
        missed = max(one.test.detectable or 0.0 for one in together)
        word += f" True gains of less than {missed:.1f} points could have been missed."
    return Verdict(
        question=question.name,
        title=question.title,
        role=question.role,
        outcome=outcome,
        sentence=f"{word} {gains}.",
    )


def _told(comparison: StartComparison) -> str:
    test = comparison.test
    text = f"{comparison.share:g} %: {test.mean:+.2f} points"
    if test.low is not None and test.high is not None:
        text += f" (95 % interval {test.low:+.2f} to {test.high:+.2f}, {test.pairs} victims)"
    return text
