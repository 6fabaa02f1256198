"""What an audit says, as data: ``rbnn audit --json`` prints it, the page shows it.

Shares are of 1. Nothing here is called clean: an audit found something, found no trigger of the
kinds that it looked for, or could not tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import computed_field

from rbnn.frozen import Frozen
from rbnn.tasks.dataset import Kind


class Outcome(StrEnum):
    """What a check, a task or an audit came to."""

    FOUND = "found"
    NOTHING = "no trigger of these kinds found"
    UNKNOWN = "could not tell"
    SKIPPED = "not run"

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """What several come to: found where any found something, and nothing only where none of
        those that ran could not tell."""
        seen = set(outcomes)
        for one in (cls.FOUND, cls.UNKNOWN, cls.NOTHING):
            if one in seen:
                return one
        return cls.UNKNOWN


class Score(Frozen):
    """One figure by which a check decides: found where ``low`` is above ``limit``.

    ``value`` is the figure, ``low`` the lower end of its interval; of figures without an interval
    both are the same. ``name`` is that of the limit in ``rbnn/audit/limits.json``.
    """

    name: str
    value: float
    low: float
    limit: float

    @property
    def outcome(self) -> Outcome:
        """What it comes to; "could not tell" where the interval holds the limit."""
        if self.low > self.limit:
            return Outcome.FOUND
        return Outcome.UNKNOWN if self.value > self.limit else Outcome.NOTHING


EXIT_CODES = {Outcome.NOTHING: 0, Outcome.FOUND: 1, Outcome.UNKNOWN: 2, Outcome.SKIPPED: 2}


class TriggerFigures(Frozen):
    """A trigger that a check came upon, measured on the C engine.

    ``share``, with ``low`` and ``high``, is the share of ``tested`` held-out samples of other
    classes that it moves to ``target``. ``picture`` and ``example`` are PNGs as data URIs: the
    trigger alone, and a sample with it.
    """

    name: str
    target: str
    words: str
    cells: float
    share: float
    low: float
    high: float
    tested: int
    found: bool
    picture: str
    example: str


class Bar(Frozen):
    """One class's figure, and how it is written."""

    label: str
    value: float
    text: str


class BarChart(Frozen):
    """Figures by class; ``limit`` is where "found" begins."""

    title: str
    limit: float | None
    bars: tuple[Bar, ...]


class Histogram(Frozen):
    """Shares of two groups of samples by value; ``edges`` has one more entry than the groups."""

    title: str
    edges: tuple[float, ...]
    clean_name: str
    clean: tuple[float, ...]
    other_name: str
    other: tuple[float, ...]
    threshold: float | None


class CheckFigures(Frozen):
    """One check of one task.

    ``looked_for`` and ``limit`` say what was looked for and from where on it is found; ``said`` is
    the result in a sentence with its figures; ``blind`` what the check cannot see. ``scores`` are
    the figures that decide. ``processor`` is seconds of one processor, ``seconds`` by the clock.
    """

    name: str
    title: str
    outcome: Outcome
    looked_for: str
    said: str
    limit: str
    blind: str
    seconds: float = 0.0
    processor: float = 0.0
    passes: int = 0
    triggers: tuple[TriggerFigures, ...] = ()
    charts: tuple[BarChart, ...] = ()
    histogram: Histogram | None = None
    scores: tuple[Score, ...] = ()


class Crossing(Frozen):
    """A trigger of one task on another: the largest share that any class takes."""

    trigger: str
    source: str
    task: str
    share: float
    low: float
    high: float


class TaskAudit(Frozen):
    """One task."""

    task: str
    labels: tuple[str, ...]
    kind: Kind
    samples: int
    training_samples: int
    accuracy: float | None
    checks: tuple[CheckFigures, ...]
    seconds: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Outcome:
        """What its checks came to."""
        return Outcome.of(one.outcome for one in self.checks)


class AuditReport(Frozen):
    """An audit of a model.

    ``digest`` is the container's, ``source`` the SHA-256 of the run's files: an audit belongs to
    these bits only. ``trunk`` is how many layers have one key for all tasks.
    """

    version: int = 1
    model: str
    form: str
    digest: str
    source: str | None
    command: str
    date: str
    rbnn: str
    quick: bool
    trunk: int
    tasks: tuple[TaskAudit, ...]
    crossing: tuple[Crossing, ...]
    seconds: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Outcome:
        """What all tasks came to."""
        return Outcome.of(one.outcome for one in self.tasks)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def exit_code(self) -> int:
        """Of the command: 0, 1 (found) or 2 (could not tell)."""
        return EXIT_CODES[self.outcome]
