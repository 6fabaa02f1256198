"""The layers of a network that is being described: adds, checks and finishes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import index
from typing import NoReturn

from rbnn.nets.device_rules import check_graph, check_layer, check_shortcut, check_size, describe
from rbnn.nets.errors import NetworkError
from rbnn.nets.padding import pad
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec import operators
from rbnn.spec.layout import MAX_AVERAGE_WINDOW, MAX_LAYERS, Activation, Output, Sign, Stage
from rbnn.spec.operators import Operator, Reads

ACTIVATIONS = {one.name.lower(): one for one in Activation}
SIGNS = {one.name.lower(): one for one in Sign}


@dataclass(frozen=True)
class Value:
    """What a layer gives, to be read by later ones.

    Args:
        number: of the layer.
        shape: height, width, channels.
    """

    number: int
    shape: Shape
    net: Layers = field(repr=False, compare=False)


class Layers:
    """What :class:`rbnn.nets.own.builder.Net` is made of.

    Args:
        name: of the network, as the container has it.
        input_shape: height, width and channels of its input.
        classes: outputs of its last layer: the largest class count among the tasks.
        place: where the user's file is at the moment, for errors.

    Attributes:
        input_shape: as above, for files that look at it.
        classes: as above.
    """

    def __init__(
        self, name: str, input_shape: Shape, classes: int, place: Callable[[], str]
    ) -> None:
        self.name = name
        self.input_shape = input_shape
        self.classes = classes
        self._place = place
        self._layers: list[Layer] = []
        self._places: list[str] = []

    def topology(self) -> Topology:
        """The finished network, checked.

        Raises:
            NetworkError: it has no end, a layer that nothing reads, or does not fit devices.
        """
        if not self._layers or not self._layers[-1].op.is_last:
            self._refuse(
                "The network has no last layer.", "End it with a dense layer, which gives classes."
            )
        layers = tuple(self._finished(number) for number in range(len(self._layers)))
        topology = Topology(self.name, self.input_shape, self.classes, layers)
        try:
            check_graph(pad(topology).topology)
        except NetworkError as error:
            number = len(layers) - 1 if error.layer is None else error.layer
            raise error.at(self._places[number]) from None
        return topology

    def _finished(self, number: int) -> Layer:
        """A layer with the outputs that are read."""
        layer = self._layers[number]
        if layer.op.is_last:
            return layer
        readers = [one for one in self._layers if one.source == number]
        bits = any(one.op.reads is Reads.BITS for one in readers)
        stream = any(one.reads_stream for one in readers)
        stream |= any(one.shortcut == number for one in self._layers)
        if not bits and not stream:
            raise NetworkError(
                f"{self._places[number]}: {describe(layer, number)} is read by no layer.",
                "Leave it out, or let a later layer read what it gives.",
            )
        if not layer.op.has_stage or layer.stage is Stage.THRESHOLD:
            return layer
        output = (Output.BITS if bits else Output.NONE) | (Output.STREAM if stream else Output.NONE)
        return replace(layer, output=output, sign=layer.sign if bits else Sign.ZERO)

    def _staged(
        self, layer: Layer, stream: bool | None, activation: str | None, sign: str | None
    ) -> Layer:
        """A layer with its stage; ``layer`` has one if it has a shortcut."""
        bent = "none" if activation is None else activation
        signed = "zero" if sign is None else sign
        for what, value, known in (("activation", bent, ACTIVATIONS), ("sign", signed, SIGNS)):
            if not isinstance(value, str) or value not in known:
                self._refuse(f"Unknown {what} {value!r}.", f"There are: {', '.join(known)}.")
        if stream is not None and not isinstance(stream, bool):
            self._refuse(
                f"stream must be true or false. Received: {stream!r}.",
                "Write stream=True, or leave it out.",
            )
        needed = layer.shortcut is not None or activation is not None or sign is not None
        if stream is False and needed:
            self._refuse(
                f"A {layer.op.title} with a shortcut, an activation or a sign gives a stream; "
                "stream is false.",
                "Leave stream out.",
            )
        if not (stream or needed):
            return replace(layer, stage=Stage.THRESHOLD, output=Output.BITS)
        return replace(
            layer,
            stage=Stage.RESIDUAL,
            activation=ACTIVATIONS[bent],
            sign=SIGNS[signed],
            output=Output.BITS | Output.STREAM,
        )

    def _window(
        self,
        op: Operator,
        source: int,
        shape: Shape,
        filters: int,
        kernel: int,
        stride: int,
        pad: int | None,
        side: str = "kernel",
    ) -> Layer:
        """A layer whose window moves over ``shape``; ``side`` is what the user calls its side."""
        filters = self._whole("filters", filters)
        kernel = self._whole(side, kernel)
        stride = self._whole("stride", stride)
        if pad is None:
            pad = (kernel - 1) // 2 if op.has_weights else 0
        pad = self._whole("pad", pad, least=0)
        sides = [(side + 2 * pad - kernel) // stride + 1 for side in shape[:2]]
        if min(sides) < 1:
            self._refuse(
                f"{op.name} has a window of {kernel}x{kernel}, larger than its input of "
                f"{shape[0]}x{shape[1]} pixels with padding {pad}.",
                f"The largest that fits is {min(min(shape[:2]) + 2 * pad, op.largest_window)}.",
            )
        return Layer(op, shape, (sides[0], sides[1], filters), source, kernel, stride, pad)

    def _pool(
        self, op: Operator, x: Value, window: int, stride: int | None, output: Output
    ) -> Value:
        step = window if stride is None else stride
        layer = self._window(op, x.number, x.shape, x.shape[2], window, step, 0, "window")
        return self._add(replace(layer, output=output))

    def _fitted(self, shortcut: Value, layer: Layer) -> Value:
        """The shortcut with as many pixels as ``layer`` gives, averaged where it has more."""
        (height, width), (out_height, out_width) = shortcut.shape[:2], layer.out_shape[:2]
        if (height, width) == (out_height, out_width):
            return shortcut
        step = 2
        while step <= MAX_AVERAGE_WINDOW:
            if (-(-height // step), -(-width // step)) == (out_height, out_width):
                window = step if height % step == width % step == 0 else 1
                return self._pool(operators.AVERAGE_POOL, shortcut, window, step, Output.STREAM)
            step *= 2
        self._refuse(
            f"The shortcut has {height}x{width} pixels, conv gives {out_height}x{out_width}; "
            "it is averaged over windows of 2x2, 4x4, 8x8 or 16x16 pixels.",
            "Choose the stride and padding so that one of them fits, or leave shortcut out.",
        )

    def _layer_of(self, x: Value, what: str) -> Layer:
        if not isinstance(x, Value) or x.net is not self:
            self._refuse(
                f"{what} reads {type(x).__name__ if not isinstance(x, Value) else 'a value'} "
                "that is no layer of this network.",
                "Give it what a layer returned, such as x of: x = net.stem(32)",
            )
        return self._layers[x.number]

    def _read(self, x: Value, what: str, *, stream: bool) -> None:
        """Refuse an input that is no value of the kind that is read."""
        layer = self._layer_of(x, what)
        wanted = Output.STREAM if stream else Output.BITS
        if wanted in layer.output:
            return
        where = f"{describe(layer, x.number)} ({self._places[x.number]})"
        if stream:
            fix = "Give that layer stream=True, a shortcut or an activation."
            if not layer.op.has_stage:
                fix = "A stream comes from a stem, a conv or an average_pool."
            self._refuse(f"{what} reads a stream; {where} gives bits only.", fix)
        fix = "Bits come from a stem, a conv or a max_pool"
        gives = "no bits" if layer.op.is_last else "a stream only"
        self._refuse(f"{what} reads bits; {where} gives {gives}.", f"{fix}.")

    def _add(self, layer: Layer) -> Value:
        """Append a layer that devices can compute."""
        number = len(self._layers)
        if self._layers and self._layers[-1].op.is_last:
            self._refuse("The dense layer is the last one.", "Put this layer in front of it.")
        if number == MAX_LAYERS:
            self._refuse(f"The network has more than {MAX_LAYERS} layers.", "Leave layers out.")
        here = self._place()
        so_far = Topology(self.name, self.input_shape, self.classes, (*self._layers, layer))
        try:
            check_size(so_far, number)
            if layer.shortcut is not None:
                check_shortcut(so_far, number)
            check_layer(pad(so_far).topology.layers[number], number)
        except NetworkError as error:
            raise error.at(here) from None
        self._layers.append(layer)
        self._places.append(here)
        return Value(number, layer.out_shape, self)

    def _whole(self, name: str, value: object, least: int = 1) -> int:
        """A whole number of the user's; one of NumPy's is one, too."""
        try:
            found = least - 1 if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
        except TypeError:
            found = least - 1
        if found < least:
            example = {"pad": 1, "pool": 2, "window": 2}.get(name, 3)
            self._refuse(
                f"{name} must be a whole number, {least} or more. Received: {value!r}.",
                f"Write, for example: {name}={example}",
            )
        return found

    def _refuse(self, what: str, fix: str) -> NoReturn:
        raise NetworkError(f"{self._place()}: {what}", fix)
