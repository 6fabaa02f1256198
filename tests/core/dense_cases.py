"""What the dense layer over bits computes, in numpy, and requests for ``run_driver``."""

from __future__ import annotations

import numpy as np
from run_driver import Request

from rbnn.spec import operators, packing
from rbnn.spec.layout import Packing

FILLS = ("random", "zeros", "ones", "equal", "opposite")


def dense_case(
    seed: int,
    fill: str,
    inputs: int | None = None,
    classes: int | None = None,
    spare: int | None = None,
) -> tuple[Request, bytes]:
    """A run of the dense layer over bits and its answer.

    Args:
        seed: of everything that is drawn.
        fill: of weights and activations; "equal" and "opposite" give the largest sums.
        inputs: a multiple of 32; drawn if None.
        classes: drawn if None.
        spare: bytes of working memory beyond the least; drawn if None.
    """
    rng = np.random.default_rng(seed)
    shape = (1, 1, inputs) if inputs else (
        int(rng.integers(1, 4)), int(rng.integers(1, 4)), 32 * int(rng.integers(1, 9))
    )  # fmt: skip
    count, classes = shape[0] * shape[1] * shape[2], classes or int(rng.integers(1, 40))
    activations, bits = rng.random(count) < 0.5, rng.random((count, classes)) < 0.5
    if fill in ("zeros", "ones"):
        activations[:] = rng.integers(2)
        bits[:] = fill == "ones"
    if fill in ("equal", "opposite"):
        bits[:] = (activations == (fill == "equal"))[:, None]
    spread = 2**31 if fill != "random" else 2**14
    scales, biases = (rng.integers(-spread, spread, classes) for _ in range(2))
    products = np.where(bits, 1, -1).T @ np.where(activations, 1, -1)
    logits = [(int(s) * int(p) + int(b)) % 2**32
              for s, p, b in zip(scales, products, biases, strict=True)]  # fmt: skip
    packed = packing.pack_kernel(bits, Packing.PAIRS)
    # What the padding filters hold is key stream on the device.
    padded = packing.unpack_padded(packed, bits.shape, Packing.PAIRS)
    padded[:, classes:] = rng.random((count, padded.shape[1] - classes)) < 0.5
    expected = np.array(logits, "<u4").tobytes()
    layer = {
        "op": operators.DENSE.number, "in_height": shape[0], "in_width": shape[1],
        "in_channels": shape[2], "out_height": 1, "out_width": 1, "out_channels": classes,
    }  # fmt: skip
    request = Request(
        layer, packing.pack_rows(activations),
        packing.pack_kernel(padded, Packing.PAIRS),
        scales.astype("<i4").tobytes() + biases.astype("<i4").tobytes(),
        logits_bytes=len(expected),
        spare=int(rng.integers(0, 2 * count + 100)) if spare is None else spare,
    )  # fmt: skip
    return request, expected
