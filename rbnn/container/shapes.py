"""Sizes that follow from one layer, and which layers the device's kernels serve."""

from __future__ import annotations

import math

from rbnn.container.errors import ExportError
from rbnn.nets.topology import Layer
from rbnn.spec import packing
from rbnn.spec.layout import (
    MAX_AVERAGE_WINDOW,
    MAX_INPUT_CHANNELS,
    MAX_KERNEL,
    Activation,
    Operator,
    Output,
    Packing,
    Sign,
    Stage,
)
from rbnn.spec.packing import WORD_BITS

INT16_MAX = 2**15 - 1
UINT16_MAX = 2**16 - 1
PIXEL_MAX = 255


def row_bits(layer: Layer) -> int:
    """Bits of one filter, without padding; 0 for a layer without bits."""
    return layer.bits // layer.out_shape[2] if layer.bits else 0


def weights_bytes(layer: Layer) -> int:
    """Bytes of a layer's packed bits."""
    if layer.packing is Packing.NONE:
        return 0
    return packing.packed_bytes(layer.kernel_shape, layer.packing)


def bits_bytes(layer: Layer) -> int:
    """Bytes of a layer's bits in the arena; 0 where it writes none."""
    return math.prod(layer.out_shape) // 8 if Output.BITS in layer.output else 0


def stream_bytes(layer: Layer) -> int:
    """Bytes of a layer's stream in the arena; 0 where it writes none."""
    return math.prod(layer.out_shape) * 2 if Output.STREAM in layer.output else 0


def logits_bytes(layer: Layer) -> int:
    """Bytes of a layer's logits in the arena; 0 where it writes none."""
    dense = layer.op in (Operator.DENSE, Operator.DENSE_STREAM)
    return layer.out_shape[2] * 4 if dense else 0


def output_bytes(layer: Layer) -> int:
    """Bytes of all that a layer writes: bits, stream, logits."""
    return bits_bytes(layer) + stream_bytes(layer) + logits_bytes(layer)


def params_bytes(layer: Layer) -> int:
    """Bytes of a layer's group of parameters; see ``rbnn.spec.layout.PARAMS_HEADER``."""
    group = 2 * layer.out_shape[2]
    if layer.op in (Operator.DENSE, Operator.DENSE_STREAM):
        return 4 * group
    match layer.stage:
        case Stage.THRESHOLD:
            return group
        case Stage.RESIDUAL:
            rprelu = 3 * group if layer.activation is Activation.RPRELU else 0
            signs = group if layer.sign is Sign.THRESHOLDS else 0
            return 4 + 2 * group + rprelu + signs
        case Stage.NONE:
            return 0


def describe(layer: Layer, number: int) -> str:
    """A layer as errors call it: its number and operator."""
    return f"Layer {number} ({layer.op.name.lower().replace('_', '-')})"


def check_layer(layer: Layer, number: int) -> None:
    """Refuse a layer that no kernel serves; its channels are padded already.

    Raises:
        ExportError: names the layer, and where there is one the nearest shape that works.
    """
    where = describe(layer, number)
    if min(*layer.in_shape, *layer.out_shape) <= 0:
        raise ExportError(f"{where} is empty: {layer.in_shape} to {layer.out_shape}.")
    if layer.op not in (Operator.DENSE, Operator.DENSE_STREAM):
        _check_window(layer, where)
    _check_channels(layer, where)
    match layer.op:
        case Operator.STEM:
            _check_stage(layer, where)
            _check_stem(layer, where)
        case Operator.CONV:
            _check_stage(layer, where)
            _check_convolution(layer, where)
        case Operator.MAX_POOL:
            _check_plain(layer, where, Output.BITS)
        case Operator.AVERAGE_POOL:
            _check_plain(layer, where, Output.STREAM)
            if layer.kernel & (layer.kernel - 1):
                raise ExportError(
                    f"{where} averages over {layer.kernel}x{layer.kernel} pixels; the window's "
                    "side is a power of two.",
                    f"The nearest is {1 << (layer.kernel.bit_length() - 1)}.",
                )
        case Operator.DENSE | Operator.DENSE_STREAM:
            _check_plain(layer, where, Output.NONE)
            _check_dense(layer, where)


def _check_window(layer: Layer, where: str) -> None:
    largest = MAX_AVERAGE_WINDOW if layer.op is Operator.AVERAGE_POOL else MAX_KERNEL
    for name, side in (("window", layer.kernel), ("fused pool", layer.pool)):
        if not 0 < side <= largest:
            raise ExportError(
                f"{where} has a {name} of {side}x{side}; the device's kernels go from 1 to "
                f"{largest}.",
                f"The nearest is {max(1, min(side, largest))}.",
            )
    if not 0 < layer.stride <= 255 or not 0 <= layer.pad < layer.kernel:
        raise ExportError(
            f"{where} has stride {layer.stride} and padding {layer.pad} with a window of "
            f"{layer.kernel}; the stride is at least 1 and the padding less than the window.",
            f"The nearest padding is {max(0, min(layer.pad, layer.kernel - 1))}.",
        )
    sides = tuple(
        ((side + 2 * layer.pad - layer.kernel) // layer.stride + 1) // layer.pool
        for side in layer.in_shape[:2]
    )
    if sides != layer.out_shape[:2]:
        raise ExportError(
            f"{where} makes {sides[0]}x{sides[1]} pixels of {layer.in_shape[0]}x"
            f"{layer.in_shape[1]}. Received: {layer.out_shape[0]}x{layer.out_shape[1]}.",
            f"The nearest is {sides[0]}x{sides[1]}.",
        )


def _check_channels(layer: Layer, where: str) -> None:
    inputs = 1 if layer.op is Operator.STEM else WORD_BITS
    outputs = 1 if layer.op in (Operator.DENSE, Operator.DENSE_STREAM) else WORD_BITS
    for count, step in ((layer.in_shape[2], inputs), (layer.out_shape[2], outputs)):
        if count % step or count > UINT16_MAX:
            raise ExportError(
                f"{where} has {count} channels; the device's kernels take multiples of {step} up "
                f"to {UINT16_MAX // step * step}.",
                f"The nearest is {min(-(-count // step), UINT16_MAX // step) * step}.",
            )


def _check_stage(layer: Layer, where: str) -> None:
    match layer.stage:
        case Stage.NONE:
            raise ExportError(f"{where} has sums and no stage.", "Give it a threshold.")
        case Stage.THRESHOLD:
            plain = layer.activation is Activation.NONE and layer.sign is Sign.ZERO
            if layer.shortcut is not None or not plain or layer.output != Output.BITS:
                raise ExportError(
                    f"{where}: a threshold gives bits alone and takes no shortcut, no activation "
                    "and no sign of its own.",
                    "Make its stage a residual one.",
                )
        case Stage.RESIDUAL:
            if layer.output is Output.NONE:
                raise ExportError(f"{where} writes nothing.", "Let it give bits or its stream.")


def _check_plain(layer: Layer, where: str, output: Output) -> None:
    """A layer without sums has nothing of a stage."""
    bare = (layer.stage, layer.activation, layer.sign, layer.shortcut, layer.pool)
    if bare != (Stage.NONE, Activation.NONE, Sign.ZERO, None, 1) or layer.output != output:
        raise ExportError(
            f"{where} has no stage, no shortcut and no fused pool, and writes "
            f"{(output.name or 'logits').lower() if output else 'logits alone'}."
        )
    if layer.kernel and (layer.pad or layer.out_shape[2] != layer.in_shape[2]):
        raise ExportError(
            f"{where} has padding {layer.pad} and makes {layer.out_shape[2]} channels of "
            f"{layer.in_shape[2]}; a pool has no padding and keeps its channels."
        )


def _check_stem(layer: Layer, where: str) -> None:
    if layer.in_shape[2] > MAX_INPUT_CHANNELS or layer.shortcut is not None:
        raise ExportError(
            f"{where} has {layer.in_shape[2]} input channels and "
            f"{'a' if layer.shortcut is not None else 'no'} shortcut; it takes 1 to "
            f"{MAX_INPUT_CHANNELS} channels and none.",
            f"The nearest is {min(layer.in_shape[2], MAX_INPUT_CHANNELS)} channels.",
        )
    if layer.pool not in (1, 2):
        raise ExportError(
            f"{where} fuses a max pool of {layer.pool}x{layer.pool}.",
            "Fuse one of 2x2 or none, and put a max-pool layer behind it.",
        )
    largest = row_bits(layer) * PIXEL_MAX
    if largest > INT16_MAX:
        side = math.isqrt(INT16_MAX // PIXEL_MAX // layer.in_shape[2])
        raise ExportError(
            f"{where}: sums up to {largest} do not fit 16 bits.",
            f"The nearest window is {side}x{side}.",
        )


def _check_convolution(layer: Layer, where: str) -> None:
    if layer.pool != 1:
        raise ExportError(f"{where} has a fused pool.", "Put a max-pool layer behind it.")
    if row_bits(layer) // 2 > INT16_MAX:
        most = 2 * (INT16_MAX + 1) // layer.kernel**2 // WORD_BITS * WORD_BITS
        raise ExportError(
            f"{where} has filters of {row_bits(layer)} bits, whose sums do not fit 16 bits.",
            f"The nearest is {most} input channels.",
        )


def _check_dense(layer: Layer, where: str) -> None:
    if layer.out_shape[:2] != (1, 1) or (layer.kernel, layer.stride, layer.pad) != (0, 1, 0):
        raise ExportError(f"{where} gives one value a class: it has no window, its output is 1x1.")
    if row_bits(layer) > UINT16_MAX:
        raise ExportError(
            f"{where} has {row_bits(layer)} inputs, whose sums do not fit.",
            f"The nearest is {UINT16_MAX // WORD_BITS * WORD_BITS} inputs: average over more "
            "pixels before it.",
        )
