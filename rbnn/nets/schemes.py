"""How a task's secret turns the shared kernel into the task's own: the schemes that can be trained.

``xor``
    One key bit per weight, that of ``rbnn.spec.key_stream.kernel_mask``: the stored weight is
    negated if the bit is 1. The default, and the only one that devices compute.
``sign``
    One key bit per pair of input and output channel: all taps of that pair are negated together.
    A dense layer has one tap; its input channels are its inputs, so here ``sign`` negates weight
    by weight as ``xor`` does, with other bits.
``permute``
    Weight ``[..., i, o]`` of the task is the stored weight ``[..., inputs[i], outputs[o]]``: two
    secret permutations a layer, one of its input and one of its output channels; taps stay where
    they are. The stem's few input channels are permuted too, one of ``3! = 6`` orders for a colour
    image. A dense layer's inputs are permuted one by one, whatever pixel and channel they come
    from. The last layer's outputs are permuted among all that the network has, before a task takes
    the first of them as its classes, so tasks with fewer classes read different ones.
``none``
    No key: all tasks compute with the same weights.

``sign`` and ``permute`` exist for comparison with ``xor``. Their keys come from the same task
secret, model id and cipher, each from its own stream (:class:`rbnn.spec.key_stream.Use`); padding
channels, which only devices have, are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.spec.key_stream import Use, key_stream
from rbnn.spec.layout import Cipher
from rbnn.spec.packing import Bits

SCHEMES = ("xor", "sign", "permute", "none")

Order = npt.NDArray[np.int64]
"""A permutation: place ``i`` takes what is at ``order[i]``."""


@dataclass(frozen=True)
class ChannelOrders:
    """A layer's key under ``permute``.

    Args:
        inputs: order of the kernel's second-to-last axis.
        outputs: order of its last axis.
    """

    inputs: Order
    outputs: Order


LayerKey = Bits | ChannelOrders
"""``xor``: bool, the kernel's shape. ``sign``: bool, (input channels, output channels). True
negates. ``permute``: orders."""


def pair_signs(key: bytes, layer: int, inputs: int, outputs: int, cipher: Cipher) -> Bits:
    """A layer's key under ``sign``, bool (inputs, outputs); arguments as :func:`channel_orders`."""
    return _bits(key, layer, (inputs, outputs), cipher, Use.SIGNS)


def channel_orders(
    key: bytes, layer: int, inputs: int, outputs: int, cipher: Cipher
) -> ChannelOrders:
    """A layer's key under ``permute``.

    Args:
        key: 32 bytes, of :func:`rbnn.spec.key_stream.stream_key`.
        layer: number of the layer.
        inputs: size of its kernel's second-to-last axis.
        outputs: size of its kernel's last axis.
        cipher: of the key stream.
    """
    return ChannelOrders(
        secret_order(key, layer, inputs, cipher, Use.INPUT_ORDER),
        secret_order(key, layer, outputs, cipher, Use.OUTPUT_ORDER),
    )


def first_signs(keys: Sequence[bytes], layer: int, shape: tuple[int, ...], cipher: Cipher) -> Bits:
    """Which of a layer's initial latent values are negated before training, under any scheme.

    The initial values follow from the run's seed, which is not secret. With these signs the initial
    stored bits are unknown to anyone who lacks even one task's secret, so what training left of
    them reveals nothing (docs/security.md).

    Args:
        keys: of every task, 32 bytes each, of :func:`rbnn.spec.key_stream.stream_key`.
        layer: number of the layer.
        shape: its kernel's.
        cipher: of the key stream.
    """
    signs = np.zeros(shape, np.bool_)
    for key in keys:
        signs ^= _bits(key, layer, shape, cipher, Use.FIRST_SIGNS)
    return signs


def _bits(key: bytes, layer: int, shape: tuple[int, ...], cipher: Cipher, use: Use) -> Bits:
    """The first bits of a stream."""
    count = math.prod(shape)
    stream = key_stream(key, layer, -(-count // 8), cipher, use)
    bits = np.unpackbits(np.frombuffer(stream, np.uint8), count=count, bitorder="little")
    return bits.astype(np.bool_).reshape(shape)


def secret_order(key: bytes, layer: int, count: int, cipher: Cipher, use: Use) -> Order:
    """A permutation of ``count`` things, every order equally likely.

    It is the order that sorts ``count`` 64-bit words of the key stream; if two are equal, the next
    ``count`` words are taken, so that no order is favoured.

    Args:
        key: 32 bytes, of :func:`rbnn.spec.key_stream.stream_key`.
        layer: number of the layer.
        count: 1 or more.
        cipher: of the key stream.
        use: which of the layer's streams.

    Source: Bernstein et al., "Classic McEliece: conservative code-based cryptography",
    specification, FieldOrdering (sort distinct random words, start over on a repetition).
    """
    length = 0
    while True:
        length += 8 * count
        words = np.frombuffer(key_stream(key, layer, length, cipher, use), "<u8")[-count:]
        if len(np.unique(words)) == count:
            return np.argsort(words)
