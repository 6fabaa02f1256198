"""The figures of the demonstration of a packed model, as data."""

from __future__ import annotations

from pydantic import computed_field

from rbnn.demo.figures import Refusal
from rbnn.frozen import Frozen
from rbnn.image.sizes import SizeReport


class PackedTaskFigures(Frozen):
    """What one task reached on the device, and what was recorded when it was packed.

    Accuracies are shares of 1, sizes bytes, times microseconds of the device's clock. ``recorded``
    and ``keras`` are over the whole test set (``test_samples``); ``device`` over
    ``device_samples`` of it, None if the data are not available: ``no_data`` says why.
    ``differing_layers`` counts, over ``probes`` inputs, the layers whose output on the device
    differs from the recorded one, the logits' layer included.
    """

    name: str
    classes: int
    test_samples: int
    recorded: float
    keras: float | None
    device_samples: int
    device: float | None
    no_data: str
    probes: int
    differing_layers: int
    own_bytes: int
    separate_bytes: int
    switch_us: int
    inference_us: float
    switch_instructions: int | None
    inference_instructions: int | None


class PackedFigures(Frozen):
    """All figures of one demonstration."""

    model: str
    board: str
    bits: int
    shared_bytes: int
    tasks: tuple[PackedTaskFigures, ...]
    refusals: tuple[Refusal, ...]
    image: SizeReport
    stack_used: int
    go_on: tuple[str, ...]
    seconds: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def together_bytes(self) -> int:
        """Flash of all tasks: shared bits, graph, and each task's record, sealed block, licence."""
        return self.shared_bytes + sum(task.own_bytes for task in self.tasks)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def separate_bytes(self) -> int:
        """Flash of a separate network for each task: bits, graph, parameters; no keys."""
        return sum(task.separate_bytes for task in self.tasks)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def flash_ratio(self) -> float:
        """All tasks' flash over that of one, the mean of the separate networks."""
        return self.together_bytes / (self.separate_bytes / len(self.tasks))
