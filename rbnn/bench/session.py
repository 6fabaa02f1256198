"""Measuring kernels, key stream and a network on a board that runs the bench application.

On an emulated board the counts are instructions, exact and repeatable; on a real one they are
cycles of the core's own counter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rbnn.bench.board import ICOUNT_SHIFT
from rbnn.bench.figures import BenchLayer, BenchNetwork, KeyStream, Spread
from rbnn.bench.layers import LayerCase
from rbnn.bench.rows import layer_figures, layer_name, network_figures
from rbnn.device.answers import Answer
from rbnn.device.line import SerialLine
from rbnn.errors import RbnnError
from rbnn.image.board import Board, CountUnit
from rbnn.image.defaults import DEFAULT_BOARD
from rbnn.nets.topology import Topology
from rbnn.runs.config import RunConfig

TIMEOUT_S = 120.0
"""Longest silence: the slowest layer, or one inference, under emulation on a busy machine."""
SECONDS_PER_INPUT = 2.0


class BenchError(RbnnError):
    """A measurement that cannot be trusted: wrong results, or a counter that does not count."""


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
        """Instructions or cycles of a measured call, without those of the empty call."""
        return self._convert(counts) - self._convert(self.empty)

    def _convert(self, counts: int) -> int:
        if self.unit == "cycles":
            return counts
        return round(counts * 1_000_000_000 / (self.hz << ICOUNT_SHIFT))


class Bench:
    """A running bench application.

    Args:
        line: its serial line.
        board: its manifest.

    Raises:
        BenchError: the board has no counter, or its counter is not exact.
    """

    def __init__(self, line: SerialLine, board: Board) -> None:
        self._line = line
        answer = self._ask("loops")
        hz = answer.number(answer.one("counter"))
        loops = [[answer.number(v) for v in answer.fields(one, 2)] for one in answer.all("loop")]
        if hz == 0:
            raise BenchError(
                f"Board {board.name} has no cycle counter here.",
                "QEMU does not emulate a real board's counter: use "
                f"--board {DEFAULT_BOARD} or a real board.",
            )
        if len(loops) < 2 or loops[0][0] != 0:
            raise answer.nonsense("other loops than an empty one and known ones")
        self.counter = Counter(board.unit, hz, loops[0][1])
        self._check(loops[1:])

    def _check(self, loops: Sequence[Sequence[int]]) -> None:
        """Two loops' counts must differ by exactly the instructions that the loops differ by."""
        (short, short_counts), (long, long_counts) = loops[0], loops[-1]
        counted = self.counter.read(long_counts) - self.counter.read(short_counts)
        if self.counter.unit == "instructions" and counted != long - short:
            raise BenchError(
                f"The counter saw {counted:,} instructions where {long - short:,} ran.",
                "This QEMU's -icount is not exact; use another version, such as 7.2.",
            )

    def layers(self, cases: Sequence[LayerCase]) -> list[BenchLayer]:
        """Layers one by one.

        Args:
            cases: in the application's order.

        Raises:
            BenchError: a result is wrong.
        """
        answer = self._ask("layers")
        right = {one.name: one.crc32 for one in cases}
        counts = self._compared(answer, "layer", right, ("stream", "plain", "resident"))
        return [layer_figures(one.name, one.layer, **counts[one.name]) for one in cases]

    def network(
        self, config: RunConfig, topology: Topology, crcs: Sequence[int]
    ) -> tuple[BenchNetwork, list[BenchLayer]]:
        """The network as a whole, without the observer between the layers, and layer by layer.

        Args:
            config: of the network.
            topology: as the container has it.
            crcs: CRC-32 of every layer's output.

        Raises:
            BenchError: a result is wrong.
        """
        answer = self._ask("network")
        right = {str(number): crc for number, crc in enumerate(crcs)}
        counts = self._compared(answer, "network", right, ("stream", "plain"))
        whole = {
            mode: self.counter.read(answer.number(counted))
            for mode, counted in (answer.fields(value, 2) for value in answer.all("inference"))
        }
        if set(whole) != {"stream", "plain"}:
            raise answer.nonsense("not both inferences")
        layers = [
            layer_figures(layer_name(topology, number), layer, **counts[str(number)])
            for number, layer in enumerate(topology.layers)
        ]
        return network_figures(config, topology, unit=self.counter.unit, **whole), layers

    def key(self) -> tuple[int, list[KeyStream]]:
        """Counts of the key derivation, and of the key stream by number of rounds."""
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
        self, answer: Answer, kind: str, right: Mapping[str, int], modes: Sequence[str]
    ) -> dict[str, dict[str, int]]:
        """Read ``m-<kind>-[name,mode,counts,crc]``, a line per layer and mode; check the results.

        Returns:
            Counts by layer and mode.
        """
        counts: dict[str, dict[str, int]] = {}
        wrong: list[str] = []
        for value in answer.all(kind):
            name, mode, counted, crc = answer.fields(value, 4)
            counts.setdefault(name, {})[mode] = self.counter.read(answer.number(counted))
            if right.get(name) != answer.number(crc, 16):
                wrong.append(f"{name} ({mode})")
        if set(counts) != set(right) or any(set(one) != set(modes) for one in counts.values()):
            raise answer.nonsense(f"other layers than {', '.join(right)}")
        if wrong:
            raise BenchError(
                f"Wrong results on the board: {', '.join(wrong)}.",
                "A kernel and the integer reference disagree; run the tests: make test",
            )
        return counts
