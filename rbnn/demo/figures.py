"""The figures of the demonstration, as data."""

from __future__ import annotations

from rbnn.frozen import Frozen
from rbnn.image.sizes import SizeReport


class DemoTaskFigures(Frozen):
    """What one task reached and takes. Accuracies are shares of 1, sizes bytes.

    ``keras``, ``reference`` and ``agreement`` are over the whole test set (``test_samples``);
    ``device`` and ``differing_layers`` over ``device_samples`` of it. ``differing_outputs`` counts
    bytes in which the C engine on the workstation differs from the reference, all layers.
    """

    name: str
    classes: int
    test_samples: int
    keras: float
    reference: float
    agreement: float
    differing_outputs: int
    device_samples: int
    device: float
    differing_layers: int
    own_bytes: int
    separate_bytes: int
    switch_instructions: int
    inference_instructions: int


class Refusal(Frozen):
    """What somebody without the right key or device tried, and what the board answered."""

    attempt: str
    status: str
    text: str


class DemoFigures(Frozen):
    """All figures of one demonstration."""

    run: str
    bits: int
    shared_bytes: int
    tasks: tuple[DemoTaskFigures, ...]
    refusals: tuple[Refusal, ...]
    image: SizeReport
    stack_used: int
    seconds: float
