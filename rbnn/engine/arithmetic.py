"""What is done with a layer's sums, exactly, in numpy: stages and logits as SPEC.md defines them.

The sums themselves are computed by the operators, see :mod:`rbnn.operators`.
"""

from __future__ import annotations

import numpy as np

from rbnn.container.params import Logits, Residual
from rbnn.operators.windows import Stream, Sums
from rbnn.spec.layout import SLOPE_FRACTION_BITS, STREAM_FRACTION_BITS
from rbnn.spec.operators import Operator
from rbnn.spec.packing import Bits


def sat16(values: Sums) -> Sums:
    """Values limited to what 16 bits hold."""
    return np.clip(values, -(2**15), 2**15 - 1)


def residual(sums: Sums, shortcut: Stream | None, group: Residual) -> tuple[Stream, Bits]:
    """Stream and bits of a residual stage; a shortcut of fewer channels is repeated."""
    r = sat16(group.biases + (group.scales * sums >> group.shift))
    if shortcut is not None:
        added = np.tile(shortcut, r.shape[-1] // shortcut.shape[-1]).astype(np.int64)
        r = sat16(added + r)
    if group.points is not None:
        assert group.slopes is not None and group.offsets is not None
        d = sat16(r - group.points)
        bent = group.slopes * d >> SLOPE_FRACTION_BITS
        r = sat16(group.offsets + np.where(d >= 0, d, bent))
    bits = r >= (0 if group.thresholds is None else group.thresholds)
    return r.astype(np.int16), np.asarray(bits, np.bool_)


def logits(products: Sums, group: Logits, op: Operator) -> Sums:
    """Logits from inner products; over the stream, and of 8-bit weights, they saturate at 32 bits.

    Args:
        products: (n, classes); over the stream, their unit is the stream's, 1/256.
        group: scales and biases.
        op: of the layer.
    """
    scales, biases = group.scales.astype(np.int64), group.biases.astype(np.int64)
    if op.reads_stream:
        wide = (scales * products + (biases << STREAM_FRACTION_BITS)) >> STREAM_FRACTION_BITS
    else:
        wide = scales * products + biases
        if not op.own_weights:
            return wide
    return np.clip(wide, -(2**31), 2**31 - 1)
