"""Every operator: one descriptor each, repeated nowhere else.

The firmware's header, the exporter's checks and tables, the integer reference and the Keras models
all read the descriptor. The rest of an operator is code: its C kernel, its numpy
(:mod:`rbnn.operators`), its Keras layer (:mod:`rbnn.nets.operators`).
``docs/adding-an-operator.md`` shows how to add one.
"""

from __future__ import annotations

from rbnn.spec.layout import MAX_AVERAGE_WINDOW, MAX_KERNEL, Packing
from rbnn.spec.operator import INT16_MAX, INT16_MIN, UINT16_MAX, Operator, Reads, Writes

__all__ = ["INT16_MAX", "INT16_MIN", "UINT16_MAX", "Operator", "Reads", "Writes"]

OPERATORS: dict[int, Operator] = {}
"""Every operator by its number."""


def register(operator: Operator) -> Operator:
    """Add ``operator`` to :data:`OPERATORS`.

    Raises:
        ValueError: its number or its name is taken, or the number does not fit a byte.
    """
    taken = {other.name for other in OPERATORS.values()}
    if operator.number in OPERATORS or operator.name in taken or not 0 < operator.number < 256:
        raise ValueError(f"Operator {operator.name} cannot have the number {operator.number}.")
    OPERATORS[operator.number] = operator
    return operator


def in_order() -> list[Operator]:
    """Every operator, by ascending number."""
    return [OPERATORS[number] for number in sorted(OPERATORS)]


def of_number(number: int) -> Operator:
    """The operator that has ``number`` in layer tables.

    Raises:
        ValueError: there is none.
    """
    if number not in OPERATORS:
        raise ValueError(f"{number} is not a valid Operator")
    return OPERATORS[number]


STEM = register(
    Operator(
        number=1,
        name="stem",
        title="stem",
        doc="Convolution of 8-bit input with binary weights, zero-padded; the sum is that of the "
        "+-1 products. With `pool` above 1 the maximum of the sums over windows of that side "
        "follows.",
        kernel="rbnn_conv_stem",
        reads=Reads.IMAGE,
        writes=Writes.STAGED,
        packing=Packing.ROWS,
        largest_window=MAX_KERNEL,
        largest_pool=2,
        needs_work=True,
    )
)
CONV = register(
    Operator(
        number=2,
        name="conv",
        title="convolution",
        doc="Convolution of bits with binary weights, one-padded; the sum is the number of "
        "matching bits minus half the bits of a filter, which is half the sum of the +-1 products.",
        kernel="rbnn_conv_binary",
        reads=Reads.BITS,
        writes=Writes.STAGED,
        packing=Packing.TILES,
        largest_window=MAX_KERNEL,
        takes_shortcut=True,
        unit=2,
        needs_work=True,
        split_by_words=True,
    )
)
MAX_POOL = register(
    Operator(
        number=3,
        name="max_pool",
        title="max pool",
        doc="Maximum (logical or) of bits over a window.",
        kernel="rbnn_max_pool",
        reads=Reads.BITS,
        writes=Writes.BITS,
        largest_window=MAX_KERNEL,
    )
)
DENSE = register(
    Operator(
        number=4,
        name="dense",
        title="dense",
        doc="Inner products (+-1) of all input bits with binary weights, then the scale and bias "
        "of each class: Q12.20 logits.",
        kernel="rbnn_dense",
        reads=Reads.BITS,
        writes=Writes.LOGITS,
        packing=Packing.PAIRS,
        needs_work=True,
    )
)
AVERAGE_POOL = register(
    Operator(
        number=5,
        name="average_pool",
        title="average pool",
        doc="Mean of the stream over a window of a power of two pixels, rounded half up.",
        kernel="rbnn_average_pool",
        reads=Reads.STREAM,
        writes=Writes.STREAM,
        largest_window=MAX_AVERAGE_WINDOW,
        window_is_power=True,
        in_place=True,
    )
)
DENSE_STREAM = register(
    Operator(
        number=6,
        name="dense_stream",
        title="dense",
        doc="Inner products of the stream with binary weights, then the scale and bias of each "
        "class: Q12.20 logits.",
        kernel="rbnn_dense_stream",
        reads=Reads.STREAM,
        writes=Writes.LOGITS,
        packing=Packing.ROWS,
        needs_work=True,
    )
)
STEM8 = register(
    Operator(
        number=7,
        name="stem8",
        title="8-bit stem",
        doc="Convolution of 8-bit input with 8-bit weights of the task's own, zero-padded; with "
        "`pool` above 1 the maximum of the sums over windows of that side follows. The sum is "
        "floor((s + 2^(n-1)) / 2^n), where s is that of the products and n the least number with "
        "which w * 255 * 127 / 2^n is below 32767; w is the number of weights of a filter. If n "
        "is 0 the sum is s.",
        kernel="rbnn_conv_stem8",
        reads=Reads.IMAGE,
        writes=Writes.STAGED,
        own_weights=True,
        largest_window=MAX_KERNEL,
        largest_pool=2,
        needs_work=True,
    )
)
DENSE8 = register(
    Operator(
        number=8,
        name="dense8",
        title="8-bit dense",
        doc="Inner products of all input bits (+-1) with 8-bit weights of the task's own, then the "
        "scale and bias of each class, limited to 32 bits: Q12.20 logits.",
        kernel="rbnn_dense8",
        reads=Reads.BITS,
        writes=Writes.LOGITS,
        own_weights=True,
        needs_work=True,
    )
)
DENSE_STREAM8 = register(
    Operator(
        number=9,
        name="dense_stream8",
        title="8-bit dense",
        doc="Inner products of the stream with 8-bit weights of the task's own, limited to 32 "
        "bits, then the scale and bias of each class: Q12.20 logits.",
        kernel="rbnn_dense_stream8",
        reads=Reads.STREAM,
        writes=Writes.LOGITS,
        own_weights=True,
    )
)

WITH_OWN_WEIGHTS = {STEM: STEM8, DENSE: DENSE8, DENSE_STREAM: DENSE_STREAM8}
"""By operator with stored bits, the one that computes the same with 8-bit weights of a task's own.
"""
