"""The descriptor of an operator: what one layer can compute."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rbnn.spec.layout import Output, Packing

INT16_MIN = -(2**15)
INT16_MAX = 2**15 - 1
UINT16_MAX = 2**16 - 1
LARGEST_OWN_WEIGHT = 127
"""Weights of 8 bits are symmetrical: -127 to 127."""


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
        packing: of its stored bits; an operator without weights keeps its channels and has no
            padding.
        own_weights: it has weights of 8 bits that belong to a task, in place of stored bits; see
            :mod:`rbnn.spec.own_weights`.
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
    own_weights: bool = False
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
    def has_bits(self) -> bool:
        """Whether it has binary weights, made from stored bits."""
        return self.packing is not Packing.NONE

    @property
    def has_weights(self) -> bool:
        """Whether it has weights, binary or of 8 bits."""
        return self.has_bits or self.own_weights

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
        the stream. Sums of weights of 8 bits are shifted or limited to fit.
        """
        if not self.has_weights:
            return 0
        if self.writes is Writes.LOGITS or self.own_weights:
            return UINT16_MAX
        return min(((INT16_MAX + 1) * self.unit - 1) // self.largest_input, UINT16_MAX)

    @property
    def work_function(self) -> str | None:
        """C function that gives the least working memory of a layer; None if it needs none."""
        return f"{self.kernel}_work_bytes" if self.needs_work else None
