"""Measuring kernels, key stream and a network on a board that runs the bench application.

On an emulated board the counts are instructions, exact and repeatable; on a real one they are
cycles of the core's own counter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rbnn.bench.board import ICOUNT_SHIFT
from rbnn.device.answers import Answer
from rbnn.device.line import SerialLine
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.image.board import Board, CountUnit

TIMEOUT_S = 120.0
"""Longest silence: the slowest layer, or one inference, under emulation on a busy machine."""
SECONDS_PER_INPUT = 2.0


class BenchError(RbnnError):
    """A measurement that cannot be trusted: wrong results, or a counter that does not count."""


class LayerCount(Frozen):
    """One layer."""

    name: str
    stream: int
    """Counts with streaming reconfiguration."""
    plain: int
    """Counts with the task's weights at hand."""
    resident: int | None = None
    """Counts when an earlier run reconfigured the weights and kept them; layers alone."""


class Inference(Frozen):
    """A whole network; both counts are without the observer between the layers."""

    layers: tuple[LayerCount, ...]
    stream: int
    plain: int


class KeyStream(Frozen):
    """The cipher by itself, xor with the stored bits included."""

    rounds: int
    bytes: int
    counts: int


class Spread(Frozen):
    """Least and most counts over many inputs; equal where timing depends on no data."""

    name: str
    inputs: int
    least: int
    most: int


@dataclass(frozen=True)
class Counter:
    """How the board's counts become instructions or cycles.

    Args:
        unit: which of them.
        hz: counts a second; 25 MHz on the emulated boards.
        empty: counts of an empty call, part of every measurement.
    """

    unit: CountUnit
    hz: int
    empty: int

    def read(self, counts: int) -> int:
        """Instructions or cycles of a measured call alone."""
        return self._convert(counts) - self._convert(self.empty)

    def _convert(self, counts: int) -> int:
        if self.unit == "cycles":
            return counts
        return round(counts * 1_000_000_000 / (self.hz << ICOUNT_SHIFT))


class Bench:
    """A bench application that answers.

    Args:
        line: its serial line.
        board: its manifest.

    Raises:
        BenchError: the board has no counter, or it does not count as it must.
    """

    def __init__(self, line: SerialLine, board: Board) -> None:
        self._line = line
        answer = self._ask("loops")
        hz = answer.number(answer.one("counter"))
        loops = [[answer.number(v) for v in answer.fields(one, 2)] for one in answer.all("loop")]
        if hz == 0:
            raise BenchError(
                f"Board {board.name} has no cycle counter here.",
                "An emulator of a real board has none: use --board qemu, or the board itself.",
            )
        if len(loops) < 2 or loops[0][0] != 0:
            raise answer.nonsense("other loops than an empty one and known ones")
        self.counter = Counter(board.unit, hz, loops[0][1])
        self._check(loops[1:])

    def _check(self, loops: Sequence[Sequence[int]]) -> None:
        """Longer loops must count as many instructions more as they have."""
        (short, short_counts), (long, long_counts) = loops[0], loops[-1]
        counted = self.counter.read(long_counts) - self.counter.read(short_counts)
        if self.counter.unit == "instructions" and counted != long - short:
            raise BenchError(
                f"The counter saw {counted:,} instructions where {long - short:,} ran.",
                "This QEMU's -icount is not exact; use version 7.2 or another.",
            )

    def layers(self, expected: Sequence[tuple[str, int]]) -> list[LayerCount]:
        """Layers by themselves.

        Args:
            expected: name and CRC-32 of the output of each, in the application's order.

        Raises:
            BenchError: a result is wrong.
        """
        answer = self._ask("layers")
        return self._compared(answer, "layer", expected, ("stream", "plain", "resident"))

    def network(self, expected: Sequence[tuple[str, int]]) -> Inference:
        """The network, layer by layer and as a whole; arguments as of :meth:`layers`."""
        answer = self._ask("network")
        numbered = [(str(number), crc) for number, (_, crc) in enumerate(expected)]
        layers = self._compared(answer, "network", numbered, ("stream", "plain"))
        whole = dict(answer.fields(value, 2) for value in answer.all("inference"))
        if set(whole) != {"stream", "plain"}:
            raise answer.nonsense("not both inferences")
        return Inference(
            layers=tuple(
                one.model_copy(update={"name": name})
                for one, (name, _) in zip(layers, expected, strict=True)
            ),
            stream=self.counter.read(answer.number(whole["stream"])),
            plain=self.counter.read(answer.number(whole["plain"])),
        )

    def key(self) -> tuple[int, list[KeyStream]]:
        """Counts of the key's derivation, and the key stream by rounds."""
        answer = self._ask("cipher")
        streams = []
        for value in answer.all("cipher"):
            rounds, size, counts = (answer.number(text) for text in answer.fields(value, 3))
            streams.append(KeyStream(rounds=rounds, bytes=size, counts=self.counter.read(counts)))
        return self.counter.read(answer.number(answer.one("key"))), streams

    def inputs(self, count: int, *, network: bool) -> Spread:
        """The first layer, or the network, over ``count`` random inputs and two extreme ones."""
        command = f"{'network-' if network else ''}inputs {count}"
        answer = self._ask(command, TIMEOUT_S + SECONDS_PER_INPUT * count)
        name, inputs, least, most = answer.fields(answer.one("inputs"), 4)
        return Spread(
            name=name,
            inputs=answer.number(inputs),
            least=self.counter.read(answer.number(least)),
            most=self.counter.read(answer.number(most)),
        )

    def _ask(self, command: str, timeout_s: float = TIMEOUT_S) -> Answer:
        return Answer(command, self._line.ask(command, timeout_s))

    def _compared(
        self,
        answer: Answer,
        kind: str,
        expected: Iterable[tuple[str, int]],
        modes: Sequence[str],
    ) -> list[LayerCount]:
        """Lines ``m-<kind>-[name,mode,counts,crc]``, one a layer and mode, results compared."""
        counts: dict[tuple[str, str], int] = {}
        wrong: list[str] = []
        right = dict(expected)
        for value in answer.all(kind):
            name, mode, counted, crc = answer.fields(value, 4)
            counts[name, mode] = self.counter.read(answer.number(counted))
            if right.get(name) != answer.number(crc, 16):
                wrong.append(f"{name} ({mode})")
        if set(counts) != {(name, mode) for name in right for mode in modes}:
            raise answer.nonsense(f"other layers than {', '.join(right)}")
        if wrong:
            raise BenchError(
                f"Wrong results on the board: {', '.join(wrong)}.",
                "A kernel and the integer reference disagree; run the tests: make test",
            )
        return [
            LayerCount(name=name, **{mode: counts[name, mode] for mode in modes}) for name in right
        ]
