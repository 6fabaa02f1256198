"""What the report of a run says, as data: ``rbnn report --json`` prints it, the page shows it.

Accuracies and probabilities are shares of 1, sizes bytes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rbnn.audit.gate import AuditLine
from rbnn.container.sizes import TaskSize
from rbnn.frozen import Frozen
from rbnn.tasks.dataset import Kind
from rbnn.train.evaluate import Chance, WrongSecrets

EngineName = Literal["keras", "c"]


class Guess(Frozen):
    """One class and its probability."""

    label: str
    probability: float


class Sample(Frozen):
    """One test sample: its number in the test set, its class, and the likeliest classes.

    ``picture`` is a PNG as a data URI, only for the page.
    """

    number: int
    truth: str
    guesses: tuple[Guess, ...]
    picture: str = Field(exclude=True, repr=False)


class MixUp(Frozen):
    """Samples of class ``truth`` taken for ``found``; ``share`` is their share of that class."""

    truth: str
    found: str
    count: int
    share: float


class ClassFigures(Frozen):
    """One class: its samples, recall and precision.

    ``recall`` and ``precision`` are None if there is nothing to divide by.
    """

    label: str
    train: int
    test: int
    recall: float | None
    precision: float | None


class Results(Frozen):
    """A task on its whole test set.

    ``interval`` is the 95 % confidence interval of the accuracy, given the size of the test set
    (Wilson, 1927). ``confusion[i][j]`` counts samples of class i that were taken for class j.
    """

    accuracy: float
    interval: tuple[float, float]
    chance: Chance
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassFigures, ...]
    mix_ups: tuple[MixUp, ...]
    right: tuple[Sample, ...]
    wrong: tuple[Sample, ...]
    wrong_secrets: WrongSecrets | None


class DataFigures(Frozen):
    """A task's data.

    ``inputs`` says in words what its samples were and became. ``fingerprint`` is the SHA-256 over
    class names, pictures and labels. ``equal`` and ``alike`` count test samples that are also
    training samples (``rbnn.tasks.overlap``); ``warning`` says so in words, or is None.
    """

    kind: Kind
    channels: int
    inputs: str
    train: int
    test: int
    origin: str
    fingerprint: str
    equal: int
    alike: int
    warning: str | None


class Epoch(Frozen):
    """A task at the end of an epoch."""

    epoch: int
    loss: float
    train: float
    test: float


class TaskReport(Frozen):
    """One task.

    ``shared`` and ``own`` are the test accuracies that training recorded last: of this network, and
    of the single-task network if one was trained. ``missing`` says why there are no ``data`` and no
    ``results``.
    """

    name: str
    labels: tuple[str, ...]
    shared: float | None
    own: float | None
    curve: tuple[Epoch, ...]
    own_curve: tuple[Epoch, ...]
    data: DataFigures | None
    results: Results | None
    missing: str | None

    @property
    def accuracy(self) -> float | None:
        """As training recorded it, else as measured for this report."""
        if self.shared is None and self.results is not None:
            return self.results.accuracy
        return self.shared

    @property
    def difference(self) -> float | None:
        """Shared network minus single-task network."""
        if self.own is None or self.accuracy is None:
            return None
        return self.accuracy - self.own


class LayerFigures(Frozen):
    """One layer as the device has it; ``instructions`` are predicted, None without a board."""

    number: int
    what: str
    input: tuple[int, int, int]
    output: tuple[int, int, int]
    kernel: int
    bits: int
    macs: int
    instructions: int | None


class NetworkFigures(Frozen):
    """The network; ``bits`` are those that are trained, ``stored_bits`` those with padding."""

    architecture: str
    bits: int
    stored_bits: int
    macs: int
    layers: tuple[LayerFigures, ...]


class BoardFigures(Frozen):
    """Flash and RAM of the model on a board.

    ``code`` is roughly what the application takes without a model. ``problem`` says what does not
    fit, or is None; if the RAM is too small, ``work`` to ``estimated_ms`` are None.
    """

    name: str
    title: str
    flash_limit: int
    ram_limit: int
    code: int
    container: int
    application: int
    stack: int
    arena: int
    params: int
    work: int | None
    resident: int | None
    mode: str | None
    instructions: int | None
    estimated_ms: float | None
    problem: str | None


class ExportFigures(Frozen):
    """The model container.

    ``state`` says whether the run folder's export is ``current``, ``outdated`` or ``missing``;
    unless it is current, the sizes are those that a new export would have, and there is no digest.
    With ``impossible``, ``why`` says what prevents an export.
    """

    state: Literal["current", "outdated", "missing", "impossible"]
    why: str
    digest: str | None
    shared: int | None
    tasks: tuple[TaskSize, ...]
    container: int | None
    board: BoardFigures | None

    @property
    def together(self) -> int:
        """Flash of the shared part and of all tasks' own parts."""
        return (self.shared or 0) + sum(task.own for task in self.tasks)

    @property
    def separate(self) -> int:
        """Flash of a separate network for each task."""
        return sum(task.separate for task in self.tasks)


class LicenceFigures(Frozen):
    """One licence that was issued for this model: to which device and whose user key."""

    licence: str
    task: str
    device: str
    board: str
    user: str
    limit: int
    issued: str
    other_digest: bool
    revoked: str | None = None
    """When it was revoked or transferred."""


class KeyFigures(Frozen):
    """Who can license the model: public keys and fingerprints, nothing secret.

    ``provider`` is the public key in the current export, ``local`` the one for the next export.
    """

    model_id: str
    cipher: str
    scheme: str
    provider: str | None
    local: str | None
    registry: str | None
    licences: tuple[LicenceFigures, ...]


class ReproduceCommand(Frozen):
    """A line for a shell, and what it is for."""

    purpose: str
    line: str


class TrainingState(Frozen):
    """How far training came; ``progress`` is a share of 1, None if nothing was recorded."""

    epochs: int
    steps: int
    seconds: float
    progress: float | None

    @property
    def finished(self) -> bool:
        """Whether the run reached the end of its schedule."""
        return self.progress is None or self.progress >= 1


class RunReport(Frozen):
    """The whole report. ``date`` is when it was made, UTC; ``audit`` is None without an audit."""

    run: str
    date: str
    engine: EngineName
    training: TrainingState
    tasks: tuple[TaskReport, ...]
    network: NetworkFigures
    export: ExportFigures
    keys: KeyFigures
    settings: dict[str, str]
    versions: dict[str, str]
    commands: tuple[ReproduceCommand, ...]
    notes: tuple[str, ...]
    audit: AuditLine | None = None

    @property
    def mean_accuracy(self) -> float | None:
        """Mean over the tasks; None if one is unknown."""
        return _mean([task.accuracy for task in self.tasks])

    @property
    def mean_difference(self) -> float | None:
        """Mean of shared minus single-task; None if a task has no single-task network."""
        return _mean([task.difference for task in self.tasks])


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
