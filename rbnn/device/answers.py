"""The device's answers as typed values."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from rbnn.device.errors import LinkError, NoiseError
from rbnn.frozen import Frozen
from rbnn.spec.layout import MAX_CLASSES, MAX_INPUT_BYTES
from rbnn.spec.link import Protection
from rbnn.spec.series import MAX_SERIES_STEPS, Series

MOST = 2**64 - 1
"""The largest number that the device prints."""
_DIGITS = {10: re.compile("[0-9]{1,20}"), 16: re.compile("[0-9a-f]{1,16}")}
_SCORE = re.compile(r"[0-9](\.[0-9]{1,6})?")

PufState = Literal["fresh", "enrolled", "power-cycle", "damaged"]
BuildKind = Literal["release", "development"]
TaskState = Literal["unlicensed", "locked", "unlocked", "active"]


class Identity(Frozen):
    """The answer to ``id``; identifiers in hexadecimal, empty if the device has none."""

    firmware: str
    build: BuildKind
    board: str
    model_id: str
    model_digest: str
    protection: Protection
    puf: PufState
    public: str


class Enrolment(Frozen):
    """The answer to ``enroll``; all of it public."""

    record: bytes
    """Helper record: header, helper data, tag."""
    public: bytes
    """X25519 public key, 32 bytes."""
    sign_public: bytes
    """Public key of the receipts, 32 bytes."""


class DeviceTask(Frozen):
    """One line of ``tasks``."""

    number: int
    name: str
    classes: int
    state: TaskState


class DeviceLicence(Frozen):
    """One line of ``licences``; one of another model opens no task of this one, and ``task`` is
    ``-``."""

    slot: int
    task: str
    licence_id: str
    sequence: int
    place: Literal["flash", "ram", "other-model"]


class ActiveTask(Frozen):
    """The answer to ``labels``: the active task."""

    input_shape: tuple[int, int, int]
    """Height, width, channels of one input."""
    labels: tuple[str, ...]
    """Class names; their position is the class number."""
    series: Series | None = None
    """How windows of a sensor series become inputs; None for another input."""


class Inference(Frozen):
    """The answer to ``infer``."""

    scores: tuple[float, ...]
    us: float
    """Microseconds per inference by the device's clock, the mean of those timed."""
    instructions: int | None = None
    """The same in instructions of an emulated core; None on a real board."""

    @property
    def best(self) -> int:
        """The class with the highest score; the lowest number on a tie."""
        return self.scores.index(max(self.scores))


class TracedLayer(Frozen):
    """One layer of ``trace``."""

    layer: int
    operator: str
    ticks: int
    crc32: int
    """CRC-32 of the layer's output as stored in the arena."""


class Trace(Frozen):
    """One inference, layer by layer."""

    layers: tuple[TracedLayer, ...]
    scores: tuple[float, ...]
    ticks_hz: int

    @property
    def best(self) -> int:
        """The class with the highest score; the lowest number on a tie."""
        return self.scores.index(max(self.scores))

    def differing(self, expected: Sequence[int]) -> list[int]:
        """Numbers of the layers whose output is not the expected one.

        Args:
            expected: CRC-32 of every layer's output, from ``rbnn.engine.golden.layer_crc32``.

        Raises:
            LinkError: the board's model has other layers.
        """
        traced = {layer.layer: layer.crc32 for layer in self.layers}
        if sorted(traced) != list(range(len(expected))):
            raise LinkError(
                f"The board traced the layers {sorted(traced)}; {len(expected)} were expected.",
                "The board and the run hold different models; write the run's with: rbnn flash",
            )
        return [number for number, crc in enumerate(expected) if traced[number] != crc]


class StackUse(Frozen):
    """Bytes of the stack."""

    used: int
    reserved: int


class Answer:
    """The lines of one answer, read by name.

    Args:
        command: what was asked, for messages.
        lines: what came before ``m-ready``.
        doubted: called when it turns out to make no sense.
    """

    def __init__(
        self, command: str, lines: Iterable[str], doubted: Callable[[], None] = lambda: None
    ) -> None:
        self.command = command
        self._doubted = doubted
        self.lines = tuple(lines)

    def all(self, name: str) -> list[str]:
        """The text in the brackets of every ``m-<name>-[...]`` line."""
        start = f"m-{name}-["
        return [
            line[len(start) : -1]
            for line in self.lines
            if line.startswith(start) and line.endswith("]")
        ]

    def one(self, name: str) -> str:
        """The value of the only ``m-<name>-[...]`` line."""
        values = self.all(name)
        if len(values) != 1:
            raise self.nonsense(f"{len(values)} lines m-{name}-[...]")
        return values[0]

    def optional(self, name: str) -> str:
        """Like :meth:`one`, or an empty string if there is no such line."""
        return self.one(name) if self.all(name) else ""

    def fields(self, value: str, count: int) -> list[str]:
        """Split ``a,b,c`` into exactly ``count`` fields; further commas belong to the last."""
        parts = value.split(",", count - 1)
        if len(parts) != count:
            raise self.nonsense(f"[{value}] instead of {count} fields")
        return parts

    def number(self, text: str, base: int = 10, least: int = 0, most: int = MOST) -> int:
        """A whole number from ``least`` to ``most``, in base 10 or 16."""
        if not _DIGITS[base].fullmatch(text):
            raise self.nonsense(f"{text[:40]!r} instead of a number")
        value = int(text, base)
        if not least <= value <= most:
            raise self.nonsense(f"{value:,} instead of a number from {least:,} to {most:,}")
        return value

    def hexadecimal(self, text: str, size: int | None = None) -> bytes:
        """Bytes written as hex digits; ``size`` of them unless that is None."""
        try:
            data = bytes.fromhex(text)
        except ValueError as error:
            raise self.nonsense("something other than hex digits") from error
        if size is not None and len(data) != size:
            raise self.nonsense(f"{len(data)} bytes in hexadecimal instead of {size}")
        return data

    def laps(self) -> list[int]:
        """The times of all ``m-lap-us-N`` lines, in microseconds."""
        return [
            self.number(line.removeprefix("m-lap-us-"))
            for line in self.lines
            if line.startswith("m-lap-us-")
        ]

    def elapsed(self) -> int:
        """The time between its two ``m-lap-us-N`` lines, in microseconds."""
        laps = self.laps()
        if len(laps) != 2:
            raise self.nonsense(f"{len(laps)} times instead of 2")
        if laps[1] < laps[0]:
            raise self.nonsense(f"a clock that runs backwards, from {laps[0]:,} to {laps[1]:,} us")
        return laps[1] - laps[0]

    def scores(self) -> tuple[float, ...]:
        """The scores of ``m-results-[...]``, each in 0..1."""
        texts = self.one("results").split(",")
        if len(texts) > MAX_CLASSES:
            raise self.nonsense(f"{len(texts)} scores; a task has at most {MAX_CLASSES} classes")
        scores = [float(text) if _SCORE.fullmatch(text) else -1.0 for text in texts]
        if not all(0.0 <= score <= 1.0 for score in scores):
            raise self.nonsense("scores that are not numbers from 0 to 1")
        return tuple(scores)

    def nonsense(self, found: str) -> NoiseError:
        """The error for an answer that does not follow the grammar."""
        self._doubted()
        return NoiseError(
            f"The answer to `{self.command}` holds {found}.",
            "Firmware and rbnn may have different versions; write the firmware again: rbnn flash",
        )


def input_of(answer: Answer) -> tuple[int, int, int]:
    """Height, width and channels of the active task's input."""
    height, width, channels = (
        answer.number(side, least=1, most=MAX_INPUT_BYTES)
        for side in answer.fields(answer.one("input"), 3)
    )
    if height * width * channels > MAX_INPUT_BYTES:
        raise answer.nonsense(f"an input of {height} x {width} x {channels}")
    return height, width, channels


def series_of(answer: Answer, shape: tuple[int, int, int]) -> Series | None:
    """How windows of a sensor series become inputs, if the task takes such."""
    if not answer.all("series"):
        return None
    window, hop = (
        answer.number(one, least=1, most=MAX_SERIES_STEPS)
        for one in answer.fields(answer.one("series"), 2)
    )
    means: list[float] = []
    factors: list[float] = []
    for value in answer.all("channel"):
        number, *bits = answer.fields(value, 3)
        if answer.number(number) != len(means):
            raise answer.nonsense(f"channel {number} after {len(means)} channels")
        mean, factor = (struct.unpack(">f", answer.hexadecimal(one, 4))[0] for one in bits)
        means.append(mean)
        factors.append(factor)
    if not means or window * len(means) != math.prod(shape):
        raise answer.nonsense(f"a window of {window} x {len(means)} for an input of {shape}")
    return Series(window, hop, tuple(means), tuple(factors))
