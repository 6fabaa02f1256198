"""``rbnn bench theft --attack``: plan, attack keys, compare, and write the report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rbnn.errors import ExitCode, RbnnError
from rbnn.files import write_atomic
from rbnn.runs.errors import TrainingError, TrainingInterruptedError
from rbnn.runs.run import Run
from rbnn.runs.start import load_data
from rbnn.tasks.loading_bar import LoadingBar
from rbnn.theft.attacks.attack import Attack
from rbnn.theft.attacks.cells import KeyThief
from rbnn.theft.attacks.findings import AttackReport, KeyTest, search_findings
from rbnn.theft.attacks.oracle_findings import oracle_tests, oracle_verdicts
from rbnn.theft.attacks.page import attack_page
from rbnn.theft.attacks.plan import (
    AttackCell,
    AttackExperiment,
    Ground,
    OracleResult,
    SearchResult,
    read_cell,
    read_oracle,
)
from rbnn.theft.experiment import TheftSettings
from rbnn.theft.findings import StartComparison
from rbnn.theft.plan import choose_victims, parse_seeds, parse_shares, plan_experiment

Say = Callable[[str], None]


def bench_attack(run: Run, settings: TheftSettings, folder: Path, say: Say) -> AttackReport:
    """Attack the keys of a run and write ``ATTACK.json`` and ``ATTACK.md``.

    Args:
        run: the attacked run, trained.
        settings: the user's choices; its attack is not fine-tuning.
        folder: of the experiment; what it holds already is not computed again.
        say: told of what goes on.

    Raises:
        RbnnError: a setting is unusable, the run or its data cannot be read, the folder holds
            another experiment or cannot be written, or the user interrupted.
    """
    others = choose_victims(run, settings.victims, settings.other)
    shares, seeds = parse_shares(settings.shares), parse_seeds(settings.seeds)
    experiment = plan_attack(run, settings)
    experiment.hold(folder)
    work = _Work(run, experiment, folder, say, others)
    searches: list[SearchResult] = []
    oracle: list[OracleResult] = []
    comparisons: list[StartComparison] = []
    tests: list[KeyTest] = []
    if experiment.attack is Attack.ORACLE:
        oracle = work.asked(others, seeds)
        tests = oracle_tests(oracle)
        verdicts = oracle_verdicts(oracle, tests)
    else:
        searches = work.searched(
            [
                AttackCell(victim=victim, share=share, seed=seed, ground=ground)
                for seed in seeds
                for share in shares
                for victim in others
                for ground in Ground
            ]
        )
        comparisons, verdicts = search_findings(experiment.attack, searches)
    report = AttackReport(
        command=settings.command(run, folder),
        run=run.folder.name,
        experiment=experiment,
        searches=tuple(searches),
        oracle=tuple(oracle),
        comparisons=tuple(comparisons),
        tests=tuple(tests),
        verdicts=tuple(verdicts),
    )
    stem = experiment.attack.value
    write_atomic(folder / f"{stem}.json", report.model_dump_json(indent=2) + "\n")
    write_atomic(folder / f"{stem}.md", attack_page(report))
    return report


def plan_attack(run: Run, settings: TheftSettings) -> AttackExperiment:
    """What all cells have in common.

    Raises:
        RbnnError: a number is unusable, or the run has no trained parameters.
    """
    plan = plan_experiment(
        run, settings.other, settings.steps, settings.learning_rate, settings.magnitude
    )
    for option, value in {"--queries": settings.queries, "--unknown": settings.unknown}.items():
        if value is not None and value < 1:
            raise TrainingError(f"{option} must be 1 or more. Received: {value}.")
    if not 0 < settings.known < 100:
        raise TrainingError(
            f"--known is a percentage between 0 and 100. Received: {settings.known:g}."
        )
    return AttackExperiment(
        **plan.model_dump(exclude={"attack"}),
        attack=Attack(settings.attack),
        queries=settings.queries,
        unknown=settings.unknown,
        known=settings.known,
    )


def require_no_leak(report: AttackReport) -> None:
    """Refuse a run whose keys can be attacked.

    Raises:
        RbnnError: names the claims that failed.
    """
    failed = [
        one.title for one in report.verdicts if one.role == "claim" and one.outcome == "failed"
    ]
    if failed:
        raise RbnnError(
            f"A thief gains: {'; '.join(failed)}.",
            "Measure again with more seeds, or attack a newly trained run; if the gain persists, "
            "do not ship this run.",
            exit_code=ExitCode.CHECK_FAILED,
        )


class _Work:
    """Computes what the folder does not hold."""

    def __init__(
        self,
        run: Run,
        experiment: AttackExperiment,
        folder: Path,
        say: Say,
        others: Mapping[str, str],
    ) -> None:
        self._run = run
        self._experiment = experiment
        self._folder = folder
        self._say = say
        self._needed = {*others, *others.values()}
        self._thief: KeyThief | None = None

    def thief(self) -> KeyThief:
        """The thief; made, and data loaded, when first needed."""
        if self._thief is None:
            config = self._run.config()
            tasks = tuple(task for task in config.tasks if task.name in self._needed)
            with LoadingBar() as bar:
                data = load_data(config.model_copy(update={"tasks": tasks}), bar.show)
            self._thief = KeyThief(self._run, data, self._experiment, self._folder)
        return self._thief

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Say after Ctrl-C that nothing finished is lost."""
        try:
            yield
        except KeyboardInterrupt as error:
            raise TrainingInterruptedError(
                f"Stopped; everything finished so far is in {self._folder}.",
                "Continue with the same command.",
            ) from error

    def asked(self, others: Mapping[str, str], seeds: Sequence[int]) -> list[OracleResult]:
        """The oracle attack on every victim."""
        done = []
        for seed in seeds:
            for victim, other in others.items():
                result = read_oracle(self._folder, victim, other, seed)
                if result is None:
                    self._say(f"{victim}, with a licence for {other}, seed {seed}")
                    with self._stopping():
                        result = self.thief().ask(victim, other, seed)
                done.append(result)
        return done

    def searched(self, cells: Sequence[AttackCell]) -> list[SearchResult]:
        """The genetic or the gradient attack."""
        done = [read_cell(self._folder, cell) for cell in cells]
        missing = done.count(None)
        results = []
        for cell, result in zip(cells, done, strict=True):
            if result is None:
                self._say(
                    f"{missing} to go: {cell.victim}, {cell.share:g} % of the data, "
                    f"seed {cell.seed}, over {cell.ground.value}"
                )
                with self._stopping():
                    result = self.thief().compute(cell)
                missing -= 1
            results.append(result)
        shutil.rmtree(self._folder / "work", ignore_errors=True)
        return results
