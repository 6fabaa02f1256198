"""Which networks devices can compute: the rules of their kernels and of the container.

Channels of bits and streams are padded already (:func:`rbnn.nets.padding.pad`).
"""

from __future__ import annotations

import math

from rbnn.nets.errors import NetworkError
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import (
    MAX_INPUT_BYTES,
    MAX_INPUT_CHANNELS,
    MAX_LAYERS,
    Activation,
    Output,
    Sign,
    Stage,
)
from rbnn.spec.operators import UINT16_MAX, Reads
from rbnn.spec.packing import WORD_BITS


def check_graph(topology: Topology) -> None:
    """Refuse a graph that the layer table cannot hold, or a layer that no kernel supports.

    Raises:
        NetworkError: names the layer and, if there is one, the nearest that works.
    """
    layers = topology.layers
    if not 2 <= len(layers) <= MAX_LAYERS:
        raise NetworkError(
            f"A container holds 2 to {MAX_LAYERS} layers. Received: {len(layers)}.",
            f"The nearest is {max(2, min(len(layers), MAX_LAYERS))}: change --depth.",
        )
    input_bytes = math.prod(topology.input_shape)
    if input_bytes > MAX_INPUT_BYTES:
        raise NetworkError(
            f"One input has {input_bytes:,} bytes; a container has inputs of at most "
            f"{MAX_INPUT_BYTES:,}.",
            "Train with a smaller --input.",
        )
    for number, layer in enumerate(layers):
        try:
            _check_place(topology, number)
            check_layer(layer, number)
        except NetworkError as error:
            error.layer = number
            raise


def _check_place(topology: Topology, number: int) -> None:
    """Refuse a layer that is in the wrong place, or that reads what is not there."""
    layers, layer = topology.layers, topology.layers[number]
    where = describe(layer, number)
    last = number == len(layers) - 1
    if layer.op.is_first != (number == 0) or layer.op.is_last != last:
        raise NetworkError(
            f"{where} is in the wrong place: the first layer is a stem, the last one dense."
        )
    if (layer.source == -1) != (number == 0) or not -1 <= layer.source < number:
        raise NetworkError(f"{where} reads layer {layer.source}, which does not run before it.")
    shape = topology.input_shape if number == 0 else layers[layer.source].out_shape
    wanted = Output.STREAM if layer.reads_stream else Output.BITS
    if layer.in_shape != shape or (number and wanted not in layers[layer.source].output):
        raise NetworkError(
            f"{where} takes {wanted.name.lower() if number else 'an image'} of "  # type: ignore[union-attr]
            f"{layer.in_shape}; layer {layer.source} does not give one."
        )
    if last and layer.out_shape[2] != topology.max_classes:
        raise NetworkError(
            f"{where} has {layer.out_shape[2]} outputs for {topology.max_classes} classes."
        )
    if layer.shortcut is not None:
        check_shortcut(topology, number)


def check_shortcut(topology: Topology, number: int) -> None:
    """Refuse a shortcut that cannot be added; channels may be padded or not.

    Raises:
        NetworkError: names the layer and the nearest that works.
    """
    layer = topology.layers[number]
    where = describe(layer, number)
    assert layer.shortcut is not None
    if not 0 <= layer.shortcut < number:
        raise NetworkError(f"{where} adds layer {layer.shortcut}, which does not run before it.")
    added = topology.layers[layer.shortcut]
    added_name = describe(added, layer.shortcut).lower()
    if Output.STREAM not in added.output or added.out_shape[:2] != layer.out_shape[:2]:
        raise NetworkError(
            f"{where} gives {layer.out_shape[0]}x{layer.out_shape[1]} pixels; its shortcut, "
            f"{added_name}, has no stream of that size.",
            "Put an average-pool layer into the shortcut.",
        )
    step = added.out_shape[2]
    if layer.out_shape[2] % step:
        nearest = max(1, round(layer.out_shape[2] / step)) * step
        raise NetworkError(
            f"{where} has {layer.out_shape[2]} channels; its shortcut, {added_name}, has "
            f"{step}, and can only be repeated a whole number of times.",
            f"The nearest is {nearest} channels.",
        )


def check_size(topology: Topology, number: int) -> None:
    """Refuse what is too large for any device, before channels are padded and memory is taken.

    Raises:
        NetworkError: names the layer and the nearest size that works.
    """
    layer = topology.layers[number]
    where = describe(layer, number)
    _check_not_empty(layer, where)
    source = topology.layers[layer.source].out_shape if layer.source >= 0 else topology.input_shape
    if source != layer.in_shape:
        raise NetworkError(f"{where} takes {layer.in_shape}; what it reads has {source}.")
    most = UINT16_MAX // WORD_BITS * WORD_BITS
    if layer.op.has_weights and not layer.op.is_last and layer.out_shape[2] > most:
        raise _too_many(where, -(-layer.out_shape[2] // WORD_BITS) * WORD_BITS, WORD_BITS, most)
    if layer.op.has_weights and not layer.op.largest_window:
        _check_sums(layer, where)


def _check_not_empty(layer: Layer, where: str) -> None:
    if min(*layer.in_shape, *layer.out_shape) <= 0:
        raise NetworkError(
            f"{where} is empty: {layer.in_shape} to {layer.out_shape}.",
            "Give it a smaller window, stride or pool, or a larger input.",
        )


def _too_many(where: str, count: int, step: int, most: int) -> NetworkError:
    return NetworkError(
        f"{where} has {count} channels; the device's kernels take multiples of {step} up "
        f"to {most // step * step}.",
        f"The nearest is {min(-(-count // step), most // step) * step}.",
    )


def describe(layer: Layer, number: int) -> str:
    """A layer's name in errors: its number and operator."""
    return f"Layer {number} ({layer.op.hyphened})"


def check_layer(layer: Layer, number: int) -> None:
    """Refuse a layer that no kernel supports; its channels are padded already.

    Raises:
        NetworkError: names the layer and, if there is one, the nearest shape that works.
    """
    where = describe(layer, number)
    _check_not_empty(layer, where)
    if layer.op.largest_window:
        _check_window(layer, where)
    elif layer.out_shape[:2] != (1, 1) or (layer.kernel, layer.stride, layer.pad) != (0, 1, 0):
        raise NetworkError(
            f"{where} takes its whole input at once: it must have no window and 1x1 output."
        )
    _check_channels(layer, where)
    if layer.op.has_stage:
        _check_stage(layer, where)
    else:
        _check_no_stage(layer, where)
    if layer.op.has_weights:
        _check_sums(layer, where)
    elif layer.pad or layer.out_shape[2] != layer.in_shape[2]:
        raise NetworkError(
            f"{where} has padding {layer.pad} and makes {layer.out_shape[2]} channels from "
            f"{layer.in_shape[2]}; without weights it must have no padding and keep its channels."
        )


def _check_window(layer: Layer, where: str) -> None:
    op = layer.op
    for name, side, largest, more in (
        ("window", layer.kernel, op.largest_window, ""),
        ("fused pool", layer.pool, op.largest_pool, "; a max-pool layer after it pools more"),
    ):
        if not 0 < side <= largest:
            raise NetworkError(
                f"{where} has a {name} of {side}x{side}; the device's kernels take sides from 1 to "
                f"{largest}.",
                f"The nearest is {max(1, min(side, largest))}{more}.",
            )
    if op.window_is_power and layer.kernel & (layer.kernel - 1):
        raise NetworkError(
            f"{where} has a window of {layer.kernel}x{layer.kernel} pixels; its side must be a "
            "power of two.",
            f"The nearest is {1 << (layer.kernel.bit_length() - 1)}.",
        )
    if not 0 < layer.stride <= 255:
        raise NetworkError(
            f"{where} has a stride of {layer.stride}; it must be 1 to 255.",
            f"The nearest is {max(1, min(layer.stride, 255))}.",
        )
    if not 0 <= layer.pad < layer.kernel:
        raise NetworkError(
            f"{where} has stride {layer.stride} and padding {layer.pad} with a window of "
            f"{layer.kernel}; the padding must be less than the window.",
            f"The nearest padding is {max(0, min(layer.pad, layer.kernel - 1))}.",
        )
    sides = tuple(
        ((side + 2 * layer.pad - layer.kernel) // layer.stride + 1) // layer.pool
        for side in layer.in_shape[:2]
    )
    if sides != layer.out_shape[:2]:
        raise NetworkError(
            f"{where} makes {sides[0]}x{sides[1]} pixels from {layer.in_shape[0]}x"
            f"{layer.in_shape[1]}. Received: {layer.out_shape[0]}x{layer.out_shape[1]}.",
            f"The nearest is {sides[0]}x{sides[1]}.",
        )


def _check_channels(layer: Layer, where: str) -> None:
    image = layer.op.reads is Reads.IMAGE
    for count, step, most in (
        (layer.in_shape[2], 1 if image else WORD_BITS, MAX_INPUT_CHANNELS if image else UINT16_MAX),
        (layer.out_shape[2], 1 if layer.op.is_last else WORD_BITS, UINT16_MAX),
    ):
        if count % step or count > most:
            raise _too_many(where, count, step, most)


def _check_stage(layer: Layer, where: str) -> None:
    if layer.shortcut is not None and not layer.op.takes_shortcut:
        raise NetworkError(f"{where} has a shortcut; it takes none.")
    match layer.stage:
        case Stage.NONE:
            raise NetworkError(f"{where} has sums but no stage.", "Give it a threshold.")
        case Stage.THRESHOLD:
            plain = layer.activation is Activation.NONE and layer.sign is Sign.ZERO
            if layer.shortcut is not None or not plain or layer.output != Output.BITS:
                raise NetworkError(
                    f"{where}: a threshold gives bits only and takes no shortcut, no activation "
                    "and no sign of its own.",
                    "Make its stage a residual one.",
                )
        case Stage.RESIDUAL:
            if layer.output is Output.NONE:
                raise NetworkError(f"{where} writes nothing.", "Let it give bits or its stream.")


def _check_no_stage(layer: Layer, where: str) -> None:
    """Refuse what only a layer with sums may have."""
    output = layer.op.bare_output
    bare = (layer.stage, layer.activation, layer.sign, layer.shortcut, layer.pool)
    if bare != (Stage.NONE, Activation.NONE, Sign.ZERO, None, 1) or layer.output != output:
        raise NetworkError(
            f"{where} must have no stage, no shortcut and no fused pool, and write "
            f"{(output.name or 'logits').lower() if output else 'logits only'}."
        )


def _check_sums(layer: Layer, where: str) -> None:
    """Refuse a filter whose sums do not fit the kernel's accumulator."""
    most = layer.op.most_filter_bits
    if layer.filter_weights <= most:
        return
    if not layer.kernel:
        nearest = f"{most // WORD_BITS * WORD_BITS} inputs: average over more pixels before it"
    elif layer.op.reads is Reads.IMAGE:
        side = math.isqrt(most // layer.in_shape[2])
        nearest = f"a window of {side}x{side}"
    else:
        nearest = f"{most // layer.kernel**2 // WORD_BITS * WORD_BITS} input channels"
    raise NetworkError(
        f"{where} has filters of {layer.filter_weights} weights, whose sums do not fit.",
        f"The nearest is {nearest}.",
    )
