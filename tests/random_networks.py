"""Random small graphs of layers, for property tests of planner, exporter and engine."""

from __future__ import annotations

import random
from collections.abc import Callable

from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Output, Sign, Stage


class _Growing:
    """Layers so far; every choice from ``source``."""

    def __init__(self, source: random.Random, channels: tuple[int, ...]) -> None:
        self.random = source
        self.channels = channels
        self.layers: list[Layer] = []

    def having(self, output: Output, fits: Callable[[Shape], bool] = lambda _: True) -> list[int]:
        """Layers that write ``output`` in a shape that fits."""
        return [
            number
            for number, layer in enumerate(self.layers)
            if output in layer.output and fits(layer.out_shape)
        ]

    def window(self, shape: Shape, sides: tuple[int, ...]) -> tuple[int, int, int, Shape]:
        """A window that fits ``shape``: side, stride, padding, and what it makes."""
        while True:
            kernel, stride = self.random.choice(sides), self.random.choice((1, 1, 2))
            pad = self.random.randrange(kernel)
            height, width = ((side + 2 * pad - kernel) // stride + 1 for side in shape[:2])
            if height > 0 and width > 0 and max(height, width) <= 16:
                return kernel, stride, pad, (height, width, shape[2])

    def staged(self, layer: Layer) -> Layer:
        """``layer`` with a random stage; half of them are plain thresholds."""
        if self.random.random() < 0.4:
            return _with(layer, stage=Stage.THRESHOLD, output=Output.BITS)
        fitting = [] if layer.op is operators.STEM else self.having(
            Output.STREAM,
            lambda shape: shape[:2] == layer.out_shape[:2]
            and layer.out_shape[2] % shape[2] == 0,
        )  # fmt: skip
        return _with(
            layer,
            stage=Stage.RESIDUAL,
            shortcut=self.random.choice([*fitting, None]) if fitting else None,
            activation=self.random.choice(tuple(Activation)),
            sign=self.random.choice(tuple(Sign)),
            output=self.random.choice((Output.BITS, Output.STREAM, Output.BITS | Output.STREAM)),
        )

    def convolution(self) -> Layer | None:
        """A binary convolution; half of them keep the size, as residual networks do."""
        sources = self.having(Output.BITS)
        if not sources:
            return None
        source = self.random.choice(sources[-3:])
        shape = self.layers[source].out_shape
        kernel, stride, pad, (height, width, _) = self.window(shape, (1, 2, 3, 5))
        if self.random.random() < 0.6:
            kernel, stride, pad, (height, width) = 3, 1, 1, shape[:2]
        filters = self.random.choice((shape[2], *self.channels))
        return self.staged(
            Layer(operators.CONV, shape, (height, width, filters), source, kernel, stride, pad)
        )

    def pool(self, op: operators.Operator) -> Layer | None:
        """A pool of bits or of a stream."""
        output = Output.BITS if op is operators.MAX_POOL else Output.STREAM
        sources = self.having(output, lambda shape: min(shape[:2]) >= 2)
        if not sources:
            return None
        source = self.random.choice(sources)
        shape = self.layers[source].out_shape
        sides = (2, 2, 3) if op is operators.MAX_POOL and min(shape[:2]) > 2 else (2,)
        kernel, stride = self.random.choice(sides), self.random.choice((1, 2))
        height, width = ((side - kernel) // stride + 1 for side in shape[:2])
        return Layer(op, shape, (height, width, shape[2]), source, kernel, stride, output=output)


def _with(layer: Layer, **members: object) -> Layer:
    values = {name: getattr(layer, name) for name in layer.__dataclass_fields__}
    return Layer(**{**values, **members})  # type: ignore[arg-type]


def random_topology(seed: int, channels: tuple[int, ...] = (32, 64, 96)) -> Topology:
    """A graph of 2 to 10 layers with shortcuts, strides, pools and every stage.

    Args:
        seed: of all choices.
        channels: filter counts to draw from; shortcuts between counts that are not multiples do
            not match and are left out.
    """
    growing = _Growing(random.Random(seed), channels)
    choose = growing.random
    image = (choose.randrange(3, 13), choose.randrange(3, 13), choose.randrange(1, 5))
    pool = choose.choice((1, 1, 2))
    kernel, stride, pad, (height, width, _) = growing.window(image, (1, 3, 5))
    pool = min(pool, height, width)
    out = (height // pool, width // pool, choose.choice(channels))
    stem = Layer(operators.STEM, image, out, -1, kernel, stride, pad, pool)
    growing.layers.append(growing.staged(stem))
    for _ in range(choose.randrange(8)):
        layer = choose.choice(
            (growing.convolution, growing.convolution, growing.convolution,
             lambda: growing.pool(operators.MAX_POOL), lambda: growing.pool(operators.AVERAGE_POOL))
        )()  # fmt: skip
        if layer is not None:
            growing.layers.append(layer)
    source = choose.choice(range(max(0, len(growing.layers) - 2), len(growing.layers)))
    last = growing.layers[source]
    from_bits = Output.BITS in last.output and (
        Output.STREAM not in last.output or choose.random() < 0.5
    )
    classes = choose.randrange(1, 40)
    op = operators.DENSE if from_bits else operators.DENSE_STREAM
    growing.layers.append(Layer(op, last.out_shape, (1, 1, classes), source))
    made = Topology("random", image, classes, tuple(growing.layers))
    stem, classifier = choose.random() < 0.3, choose.random() < 0.3
    bodiless = not any(layer.op is operators.CONV for layer in made.layers)
    return made.with_own_weights(stem and not bodiless, classifier)
