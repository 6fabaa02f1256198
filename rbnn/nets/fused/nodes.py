"""A topology as the fused operations compute it: nodes of sums with the stage behind them.

A max pool behind a convolution is part of its node; the dense layer at the end stays with Keras.
"""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Sign, Stage
from rbnn.spec.operator import LARGEST_OWN_WEIGHT
from rbnn.spec.own_weights import LARGEST_PIXEL, stem_shift

CHANNEL_MULTIPLE = 16
LARGEST_CHANNELS = 4096
LARGEST_SIDE = 3
LARGEST_SUM = 32767
FLOAT_INTEGERS = 2**24
MOST_NODES = 128
KINDS = {operators.STEM: 0, operators.STEM8: 0, operators.CONV: 1, operators.AVERAGE_POOL: 2}


@dataclass(frozen=True)
class Node:
    """One node.

    Args:
        number: of the topology's layer that its kernel and stage belong to.
        layer: that layer.
        source: node whose bits or stream it reads; -1 for the image.
        shortcut: node whose stream is added; -1 for none.
        pool: side of the max pool behind the sums; 1 for none.
        bits: whether a convolution reads its signs.
        emits: whether it is the last one.
    """

    number: int
    layer: Layer
    source: int
    shortcut: int
    pool: int
    bits: bool
    emits: bool

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Height, width, channels behind the pool."""
        height, width, channels = self.layer.out_shape
        inner = self.pool // self.layer.pool
        return height // inner, width // inner, channels

    def integers(self) -> list[int]:
        """The members of ``rbnn_node`` in ``fused.h``, in order."""
        layer = self.layer
        return [
            KINDS[layer.op],
            *(self.source, self.shortcut),
            *layer.in_shape,
            *(side * layer.pool for side in layer.out_shape[:2]),
            *self.out_shape,
            *(layer.kernel, layer.stride, layer.pad, self.pool),
            *(layer.stage is Stage.RESIDUAL, layer.activation is Activation.RPRELU),
            layer.sign is Sign.THRESHOLDS,
            *(self.bits, self.emits),
            stem_shift(layer.filter_weights) if layer.op.own_weights else -1,
        ]


def nodes_of(topology: Topology) -> list[Node] | None:
    """The nodes of a network; None where the operations cannot compute it."""
    *body, last = topology.layers
    places: dict[int, int] = {-1: -1}  # node by layer number
    pooled: set[int] = set()
    nodes: list[Node] = []
    for number, layer in enumerate(body):
        if layer.op is operators.MAX_POOL:
            places[number] = places[layer.source]
            continue
        reader = _only_pool(topology, number)
        if layer.stage is Stage.THRESHOLD and reader is not None:
            pooled.add(reader)
        inner = 1 if reader is None else topology.layers[reader].kernel
        shortcut = -1 if layer.shortcut is None else places[layer.shortcut]
        places[number] = len(nodes)
        nodes.append(
            Node(number, layer, places[layer.source], shortcut, layer.pool * inner, False, False)
        )
    pools = {n for n, layer in enumerate(body) if layer.op is operators.MAX_POOL}
    if pools != pooled or places[last.source] != len(nodes) - 1:
        return None
    nodes = [_finish(node, nodes, place) for place, node in enumerate(nodes)]
    return nodes if len(nodes) <= MOST_NODES and _fits(nodes, last) else None


def _only_pool(topology: Topology, number: int) -> int | None:
    """The max pool that is the only reader of a layer."""
    readers = [n for n, layer in enumerate(topology.layers) if layer.source == number]
    if len(readers) != 1:
        return None
    layer = topology.layers[readers[0]]
    whole = layer.kernel == layer.stride and layer.op is operators.MAX_POOL
    return readers[0] if whole else None


def _finish(node: Node, nodes: list[Node], place: int) -> Node:
    bits = any(one.source == place and one.layer.op is operators.CONV for one in nodes)
    return Node(
        node.number, node.layer, node.source, node.shortcut, node.pool, bits,
        place == len(nodes) - 1,
    )  # fmt: skip


def _fits(nodes: list[Node], last: Layer) -> bool:
    """Whether the operations have what the nodes need; they allow one reader of each output."""
    signs = [node.source for node in nodes if node.layer.op is operators.CONV]
    streams = [node.shortcut for node in nodes if node.shortcut >= 0]
    streams += [node.source for node in nodes if node.layer.op is operators.AVERAGE_POOL]
    streams += [len(nodes) - 1]
    if len(set(signs)) < len(signs) or len(set(streams)) < len(streams):
        return False
    emitted = nodes[-1].layer
    emits_stream = emitted.stage is Stage.RESIDUAL or emitted.op is operators.AVERAGE_POOL
    if emits_stream != last.reads_stream or not nodes[0].layer.op.is_first:
        return False
    return all(map(_node_fits, nodes)) and not any(n.layer.op.is_first for n in nodes[1:])


def _node_fits(node: Node) -> bool:
    layer = node.layer
    channels = layer.out_shape[2]
    if channels % CHANNEL_MULTIPLE or channels > LARGEST_CHANNELS:
        return False
    window = layer.kernel**2
    match layer.op:
        case operators.AVERAGE_POOL:
            return layer.kernel <= layer.stride and window & (window - 1) == 0
        case operators.STEM | operators.STEM8:
            largest = FLOAT_INTEGERS // LARGEST_OWN_WEIGHT if layer.op.own_weights else LARGEST_SUM
            plain = layer.stride == 1 and node.pool == 2 and layer.pool == 2
            return plain and window * layer.in_shape[2] * LARGEST_PIXEL <= largest
        case operators.CONV:
            known = layer.kernel <= LARGEST_SIDE and layer.stage is not Stage.NONE
            return known and window * layer.in_shape[2] <= LARGEST_SUM and layer.pool == 1
        case _:
            return False


def has_kernel(node: Node) -> bool:
    """Whether its layer has a kernel and a stage."""
    return node.layer.op.has_weights
