"""What a TensorFlow Lite file needs on a device: flash, RAM, and CMSIS-NN's instructions.

Flash counts what an engine must keep: the constant tensors (weights, biases, shapes), a scale and a
zero point for each tensor, and of weights a scale for each channel. Their zero points are 0, and a
bias has the product of two scales, so neither is counted. The rest of the file, names, operator
tables and alignment, is not counted either.

RAM is the peak of live tensors over one inference: a tensor that is not constant lives from the
operator that writes it to the last one that reads it, input and outputs over their part of the
inference. No arena is smaller; what an engine adds (alignment, buffers of its kernels, its own
records) is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rbnn.cost.peers import Int8Kind, int8_rate
from rbnn.frozen import Frozen

SCALE_BYTES = 4
ZERO_POINT_BYTES = 4


class LiteLayer(Frozen):
    """An operator with multiply-accumulates, and how many it has in one inference."""

    kind: Int8Kind
    macs: int


class LiteFigures(Frozen):
    """One file: bytes of ``flash``, ``ram`` and of the whole ``file``."""

    flash: int
    ram: int
    file: int
    layers: tuple[LiteLayer, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def instructions(self) -> int:
        """Of one inference, at the rates of CMSIS-NN; what has no weights is free."""
        return round(sum(layer.macs * int8_rate(layer.kind) for layer in self.layers))


def read_lite(content: bytes) -> LiteFigures:
    """Measure a file.

    Args:
        content: of the file; one graph of int8, batch 1 or variable.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (graph,) = model.subgraphs
    constant = {
        number
        for number, tensor in enumerate(graph.tensors)
        if _length(model.buffers[tensor.buffer].data)
    }
    widths = _widths(schema)
    sizes = [_bytes(widths[tensor.type], tensor) for tensor in graph.tensors]
    return LiteFigures(
        flash=sum(
            (sizes[number] if number in constant else 0) + _scale_bytes(widths[tensor.type], tensor)
            for number, tensor in enumerate(graph.tensors)
        ),
        ram=_peak(graph, constant, sizes),
        file=len(content),
        layers=tuple(_layers(schema, model, graph)),
    )


def _length(values: Any) -> int:
    return 0 if values is None else len(values)


def _widths(schema: Any) -> dict[int, int]:
    """Bytes of a value, by the file's number of its type."""
    types = schema.TensorType
    return {types.INT8: 1, types.INT16: 2, types.INT32: 4, types.INT64: 8, types.FLOAT32: 4}


def _bytes(width: int, tensor: Any) -> int:
    """Size of a tensor's values for one sample."""
    return width * math.prod(max(1, int(side)) for side in tensor.shape)


def _scale_bytes(width: int, tensor: Any) -> int:
    scales = 0 if tensor.quantization is None else _length(tensor.quantization.scale)
    if width > 1 or not scales:
        return 0
    return SCALE_BYTES * scales + (ZERO_POINT_BYTES if scales == 1 else 0)


def _peak(graph: Any, constant: set[int], sizes: Sequence[int]) -> int:
    """Most bytes that live together while an operator runs."""
    last = len(graph.operators) - 1
    born = {int(number): 0 for number in graph.inputs}
    dies = {int(number): last for number in graph.outputs}
    for step, operator in enumerate(graph.operators):
        for number in operator.inputs:
            if number >= 0 and number not in constant:
                dies[int(number)] = max(step, dies.get(int(number), step))
        for number in operator.outputs:
            born[int(number)] = step
    return max(
        sum(sizes[n] for n, start in born.items() if start <= step <= dies.get(n, start))
        for step in range(last + 1)
    )


def _layers(schema: Any, model: Any, graph: Any) -> list[LiteLayer]:
    codes = schema.BuiltinOperator
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex].builtinCode
        if code not in (codes.CONV_2D, codes.DEPTHWISE_CONV_2D, codes.FULLY_CONNECTED):
            continue
        shape = [int(side) for side in graph.tensors[operator.inputs[1]].shape]
        places = [int(side) for side in graph.tensors[operator.outputs[0]].shape][1:-1]
        # A depthwise filter has one input channel: its weights are 1, height, width, channels.
        macs = math.prod(shape) * math.prod(places)
        kind: Int8Kind = "dense" if code == codes.FULLY_CONNECTED else "conv"
        if kind == "conv" and int(operator.inputs[0]) in set(map(int, graph.inputs)):
            kind = "stem"
        found.append(LiteLayer(kind=kind, macs=macs))
    return found
