"""Builds a topology layer by layer: what a user's file calls, and what its JSON form is read into.

Each call computes the shape of what it gives, and refuses what devices cannot compute, with the
place in the user's file. What a layer writes follows from what reads it.
"""

from __future__ import annotations

from dataclasses import replace

from rbnn.nets.own.layers import Layers, Value
from rbnn.nets.topology import Layer
from rbnn.spec import operators
from rbnn.spec.layout import Output, Stage

READS = ("bits", "stream")


class Net(Layers):
    """A network that is being described."""

    def stem(
        self,
        filters: int,
        kernel: int = 3,
        stride: int = 1,
        pad: int | None = None,
        pool: int = 1,
        stream: bool | None = None,
        activation: str | None = None,
        sign: str | None = None,
    ) -> Value:
        """The first layer: a convolution of the 8-bit picture.

        Args:
            filters: channels that it gives.
            kernel: side of its window.
            stride: in both directions.
            pad: zeros added on each side; by default (kernel - 1) // 2, which at stride 1 keeps the
                picture's size.
            pool: side of a max pool after the sums, 1 for none.
            stream: as of :meth:`conv`.
            activation: as of :meth:`conv`.
            sign: as of :meth:`conv`.
        """
        if self._layers:
            self._refuse("A network has one stem, its first layer.", "Use conv after it.")
        pool = self._whole("pool", pool)
        layer = self._window(operators.STEM, -1, self.input_shape, filters, kernel, stride, pad)
        height, width, channels = layer.out_shape
        if pool > min(height, width):
            most = min(height, width, operators.STEM.largest_pool)
            self._refuse(
                f"stem has a pool of {pool}x{pool}, larger than its sums of {height}x{width} "
                "pixels.",
                f"The largest that fits is {most}: pool={most}",
            )
        layer = replace(layer, out_shape=(height // pool, width // pool, channels), pool=pool)
        return self._add(self._staged(layer, stream, activation, sign))

    def conv(
        self,
        x: Value,
        filters: int,
        kernel: int = 3,
        stride: int = 1,
        pad: int | None = None,
        shortcut: Value | None = None,
        stream: bool | None = None,
        activation: str | None = None,
        sign: str | None = None,
    ) -> Value:
        """A binary convolution of the bits of ``x``.

        Args:
            x: what it reads.
            filters: channels that it gives.
            kernel: side of its window.
            stride: in both directions.
            pad: pixels of +1 added on each side, by default as in :meth:`stem`.
            shortcut: whose stream is added to its sums. It is repeated where it has fewer channels,
                and averaged where it has more pixels.
            stream: whether it gives an int16 stream, whose signs are its bits; otherwise each sum
                is compared with a threshold and only bits are left. It does where it has a
                shortcut, an activation or a sign.
            activation: ``"rprelu"``, or None.
            sign: ``"thresholds"`` for a learnt threshold of each channel's sign (RSign).
        """
        self._read(x, "conv", stream=False)
        layer = self._window(operators.CONV, x.number, x.shape, filters, kernel, stride, pad)
        if shortcut is not None:
            self._read(shortcut, "The shortcut of conv", stream=True)
            number = self._fitted(shortcut, layer).number
            layer = replace(layer, stage=Stage.RESIDUAL, shortcut=number)
        return self._add(self._staged(layer, stream, activation, sign))

    def max_pool(self, x: Value, window: int = 2, stride: int | None = None) -> Value:
        """The maximum of bits over windows; ``stride`` is the window's side by default."""
        self._read(x, "max_pool", stream=False)
        return self._pool(operators.MAX_POOL, x, window, stride, Output.BITS)

    def average_pool(self, x: Value, window: int | None = None) -> Value:
        """The mean of a stream over windows side by side; by default of the whole picture."""
        self._read(x, "average_pool", stream=True)
        height, width, _ = x.shape
        if window is None:
            if height != width:
                self._refuse(
                    f"average_pool reads {height}x{width} pixels; its window is square.",
                    "Give it a window, or leave it out: dense reads any number of pixels.",
                )
            window = height
        return self._pool(operators.AVERAGE_POOL, x, window, None, Output.STREAM)

    def dense(self, x: Value, reads: str | None = None) -> Value:
        """The last layer: one output for each class.

        Args:
            x: what it reads, all pixels at once.
            reads: ``"bits"`` or ``"stream"``; by default the stream where there is one.
        """
        if reads is not None and reads not in READS:
            self._refuse(f"dense reads {reads!r}.", f"It reads {' or '.join(READS)}.")
        given = self._layer_of(x, "dense")
        stream = Output.STREAM in given.output if reads is None else reads == "stream"
        self._read(x, "dense", stream=stream)
        op = operators.DENSE_STREAM if stream else operators.DENSE
        return self._add(Layer(op, x.shape, (1, 1, self.classes), x.number))
