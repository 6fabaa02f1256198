"""Sizes that follow from one layer, and which layers the device's kernels support."""

from __future__ import annotations

import math

from rbnn.container.errors import ExportError
from rbnn.nets.topology import Layer
from rbnn.spec import own_weights, packing
from rbnn.spec.layout import MAX_INPUT_CHANNELS, Activation, Output, Sign, Stage
from rbnn.spec.operators import UINT16_MAX, Reads
from rbnn.spec.packing import WORD_BITS


def weights_bytes(layer: Layer) -> int:
    """Bytes of a layer's packed bits."""
    if not layer.op.has_bits:
        return 0
    return packing.packed_bytes(layer.kernel_shape, layer.packing)


def bits_bytes(layer: Layer) -> int:
    """Bytes of a layer's bits in the arena; 0 if it writes none."""
    return math.prod(layer.out_shape) // 8 if Output.BITS in layer.output else 0


def stream_bytes(layer: Layer) -> int:
    """Bytes of a layer's stream in the arena; 0 if it writes none."""
    return math.prod(layer.out_shape) * 2 if Output.STREAM in layer.output else 0


def logits_bytes(layer: Layer) -> int:
    """Bytes of a layer's logits in the arena; 0 if it writes none."""
    return layer.out_shape[2] * 4 if layer.op.is_last else 0


def output_bytes(layer: Layer) -> int:
    """Bytes of all that a layer writes: bits, stream, logits."""
    return bits_bytes(layer) + stream_bytes(layer) + logits_bytes(layer)


def own_weights_shape(layer: Layer, classes: int | None = None) -> tuple[int, ...]:
    """Shape of the 8-bit weights among a layer's parameters, filters last.

    Args:
        layer: with such weights.
        classes: of the task; None for the largest task of the model.
    """
    shape = layer.kernel_shape
    return (*shape[:-1], classes) if layer.op.is_last and classes is not None else shape


def own_weights_bytes(layer: Layer, classes: int | None = None) -> int:
    """Bytes of the 8-bit weights among a layer's parameters; 0 if it has none."""
    if not layer.op.own_weights:
        return 0
    return own_weights.packed_bytes(own_weights_shape(layer, classes))


def params_bytes(layer: Layer, classes: int | None = None) -> int:
    """Bytes of a layer's group of parameters; see ``rbnn.spec.layout.PARAMS_HEADER``.

    Args:
        layer: any.
        classes: of the task; None for the largest task of the model.
    """
    return _values_bytes(layer) + own_weights_bytes(layer, classes)


def _values_bytes(layer: Layer) -> int:
    """The same without weights."""
    group = 2 * layer.out_shape[2]
    if layer.op.is_last:
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
    """A layer's name in errors: its number and operator."""
    return f"Layer {number} ({layer.op.hyphened})"


def check_layer(layer: Layer, number: int) -> None:
    """Refuse a layer that no kernel supports; its channels are padded already.

    Raises:
        ExportError: names the layer and, if there is one, the nearest shape that works.
    """
    where = describe(layer, number)
    if min(*layer.in_shape, *layer.out_shape) <= 0:
        raise ExportError(f"{where} is empty: {layer.in_shape} to {layer.out_shape}.")
    if layer.op.largest_window:
        _check_window(layer, where)
    elif layer.out_shape[:2] != (1, 1) or (layer.kernel, layer.stride, layer.pad) != (0, 1, 0):
        raise ExportError(
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
        raise ExportError(
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
            raise ExportError(
                f"{where} has a {name} of {side}x{side}; the device's kernels take sides from 1 to "
                f"{largest}.",
                f"The nearest is {max(1, min(side, largest))}{more}.",
            )
    if op.window_is_power and layer.kernel & (layer.kernel - 1):
        raise ExportError(
            f"{where} has a window of {layer.kernel}x{layer.kernel} pixels; its side must be a "
            "power of two.",
            f"The nearest is {1 << (layer.kernel.bit_length() - 1)}.",
        )
    if not 0 < layer.stride <= 255 or not 0 <= layer.pad < layer.kernel:
        raise ExportError(
            f"{where} has stride {layer.stride} and padding {layer.pad} with a window of "
            f"{layer.kernel}; the stride must be 1 to 255 and the padding less than the window.",
            f"The nearest padding is {max(0, min(layer.pad, layer.kernel - 1))}.",
        )
    sides = tuple(
        ((side + 2 * layer.pad - layer.kernel) // layer.stride + 1) // layer.pool
        for side in layer.in_shape[:2]
    )
    if sides != layer.out_shape[:2]:
        raise ExportError(
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
            raise ExportError(
                f"{where} has {count} channels; the device's kernels take multiples of {step} up "
                f"to {most // step * step}.",
                f"The nearest is {min(-(-count // step), most // step) * step}.",
            )


def _check_stage(layer: Layer, where: str) -> None:
    if layer.shortcut is not None and not layer.op.takes_shortcut:
        raise ExportError(f"{where} has a shortcut; it takes none.")
    match layer.stage:
        case Stage.NONE:
            raise ExportError(f"{where} has sums but no stage.", "Give it a threshold.")
        case Stage.THRESHOLD:
            plain = layer.activation is Activation.NONE and layer.sign is Sign.ZERO
            if layer.shortcut is not None or not plain or layer.output != Output.BITS:
                raise ExportError(
                    f"{where}: a threshold gives bits only and takes no shortcut, no activation "
                    "and no sign of its own.",
                    "Make its stage a residual one.",
                )
        case Stage.RESIDUAL:
            if layer.output is Output.NONE:
                raise ExportError(f"{where} writes nothing.", "Let it give bits or its stream.")


def _check_no_stage(layer: Layer, where: str) -> None:
    """Refuse what only a layer with sums may have."""
    output = layer.op.bare_output
    bare = (layer.stage, layer.activation, layer.sign, layer.shortcut, layer.pool)
    if bare != (Stage.NONE, Activation.NONE, Sign.ZERO, None, 1) or layer.output != output:
        raise ExportError(
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
    raise ExportError(
        f"{where} has filters of {layer.filter_weights} weights, whose sums do not fit.",
        f"The nearest is {nearest}.",
    )
