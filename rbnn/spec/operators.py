"""What a layer can compute: one descriptor for each operator, repeated nowhere else.

The firmware's header, the exporter's checks and tables, the integer reference and the Keras models
all read the descriptor. The rest of an operator is code: its C kernel, its numpy
(:mod:`rbnn.operators`), its Keras layer (:mod:`rbnn.nets.operators`).
``docs/adding-an-operator.md`` shows how to add one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rbnn.spec.layout import MAX_AVERAGE_WINDOW, MAX_KERNEL, Output, Packing

INT16_MIN = -(2**15)
INT16_MAX = 2**15 - 1
UINT16_MAX = 2**16 - 1


class Reads(IntEnum):
    """What an operator reads. The one that reads the image is the first of a network."""

    IMAGE = 1
    BITS = 2
    STREAM = 3


class Writes(IntEnum):
    """What an operator writes. One that gives logits is the last of a network."""

    STAGED = 1
    """Sums, from which the layer's stage makes bits, a stream, or both."""
    BITS = 2
    STREAM = 3
    LOGITS = 4
    """Inner products, scaled for each class."""


_LARGEST_INPUT = {Reads.IMAGE: 255, Reads.BITS: 1, Reads.STREAM: 2**15}
_OUTPUTS = {Writes.BITS: Output.BITS, Writes.STREAM: Output.STREAM, Writes.LOGITS: Output.NONE}


@dataclass(frozen=True, repr=False)
class Operator:
    """One operator.

    Args:
        number: in the layer table; never given to another operator.
        name: in snake case; names its Python modules and, in upper case, its C macros.
        title: its name in prose.
        doc: what it computes, for SPEC.md. A *sum* goes to the layer's stage.
        kernel: name of its C function.
        reads: bits and streams in multiples of 32 channels, an image as it is.
        writes: in multiples of 32 channels, except logits.
        packing: of its weights; an operator without weights keeps its channels and has no padding.
        largest_window: largest side of its window; 0 for an operator that takes its whole input at
            once and gives one pixel.
        window_is_power: the window's side must be a power of two.
        largest_pool: largest side of a max pool that its kernel computes after the sums; 1 for
            none.
        takes_shortcut: its stage may add another layer's stream.
        unit: what one unit of its kernel's sum is worth in the sum of +-1 products.
        in_place: its stream may begin where its input begins, as it never writes past what it has
            read.
        needs_work: its kernel takes working memory; ``<kernel>_work_bytes`` says how much.
        split_by_words: one part of its kernel serves odd, another even counts of input words; a
            firmware may lack either (``kernel_features.h``).
    """

    number: int
    name: str
    title: str
    doc: str
    kernel: str
    reads: Reads
    writes: Writes
    packing: Packing = Packing.NONE
    largest_window: int = 0
    window_is_power: bool = False
    largest_pool: int = 1
    takes_shortcut: bool = False
    unit: int = 1
    in_place: bool = False
    needs_work: bool = False
    split_by_words: bool = False

    def __repr__(self) -> str:
        return self.hyphened

    @property
    def hyphened(self) -> str:
        """The name as it is printed, ``max-pool``."""
        return self.name.replace("_", "-")

    @property
    def macro(self) -> str:
        """The name at the end of C macros, ``MAX_POOL``."""
        return self.name.upper()

    @property
    def is_first(self) -> bool:
        """Whether it comes first in a network, and nowhere else."""
        return self.reads is Reads.IMAGE

    @property
    def is_last(self) -> bool:
        """Whether it comes last in a network, and nowhere else."""
        return self.writes is Writes.LOGITS

    @property
    def reads_stream(self) -> bool:
        """Whether its input is a stream."""
        return self.reads is Reads.STREAM

    @property
    def has_weights(self) -> bool:
        """Whether it has binary weights."""
        return self.packing is not Packing.NONE

    @property
    def has_stage(self) -> bool:
        """Whether the layer's stage decides what it writes."""
        return self.writes is Writes.STAGED

    @property
    def bare_output(self) -> Output:
        """What a layer without a stage writes to the arena, not counting logits."""
        return _OUTPUTS[self.writes]

    @property
    def largest_input(self) -> int:
        """Largest absolute value that a weight is multiplied with."""
        return _LARGEST_INPUT[self.reads]

    @property
    def most_filter_bits(self) -> int:
        """Most weights of one filter with which its sums fit the kernel's accumulator.

        That has 16 bits before a stage; before logits 16 bits for counts of bits, 32 for sums over
        the stream.
        """
        if not self.has_weights:
            return 0
        if self.writes is Writes.LOGITS:
            return UINT16_MAX
        return min(((INT16_MAX + 1) * self.unit - 1) // self.largest_input, UINT16_MAX)

    @property
    def work_function(self) -> str | None:
        """C function that gives the least working memory of a layer; None if it needs none."""
        return f"{self.kernel}_work_bytes" if self.needs_work else None


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
