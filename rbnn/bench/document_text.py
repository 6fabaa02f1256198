"""What docs/benchmarks.md says besides figures."""

from __future__ import annotations

HEAD = """# Benchmarks

Written by `make bench`; do not edit. The figures are instruction counts, exact and repeatable
(QEMU's `-icount`); every result was compared bit for bit with the integer reference.

*Streaming* means that the weights are stored encrypted in flash and reconfigured tile by tile while
the layer runs, which is how the firmware works; *plain*, that the task's weights are available
unencrypted; *resident*, that an earlier inference reconfigured them and kept them in RAM. MACs are
nominal: padding counts.
"""

DENSE = """
The instruction mix of the dense layer's inner loop, and what limits it:
[decision 16](decisions/0016-dense-layers-count-carry-save.md).
"""

PEERS = """## Where the other engines' figures come from

`make bench-engines SOURCES=folder` measures them on the emulated Cortex-M4, from your own git
checkouts, and compares outputs of every kernel with the sums that they stand for. Each is compiled
with `-O2`, `-O3`, `-Os` and `-Ofast`, and with its own options; a layer counts at the fewest
instructions.

- **3PXNet:** its dense kernels. The sparse ones are for pruned networks.
- **Larq Compute Engine:** its one kernel that is not for a Cortex-A. Packing the weights and
  filling the indirection buffer, once for a model, is not counted. It has no dense layer and no
  stem.
- **CBin-NN:** operator precedence in index expressions and the bound of a loop are corrected in a
  copy; as published, its convolutions read other weights. Its stem with 8-bit weights takes fewer
  instructions than the one with binary weights.
- **CMSIS-NN:** 8-bit weights and activations; the functions that TensorFlow Lite for
  Microcontrollers calls, but with one rounding for each output (its own option) in place of two.
"""

NOT_COVERED = """## What is not covered

- **Cycles.** QEMU counts instructions; it models no pipeline, no flash wait states and no cache. A
  real board's cycles come from `rbnn bench device --board BOARD`, which reads the core's counter.
- **The peers on the other cores.** Their figures are for a Cortex-M4, on the same emulated board.
  The Cortex-M7 runs the same instructions, so they hold for it, too. A Cortex-M3 lacks the DSP
  instructions that CMSIS-NN's figures depend on, so the ratio there flatters the peers.
- **The peers' whole networks.** None of them implements this one. It is estimated from their best
  layers: each binary convolution, strided or not, at the best rate that any of them reaches for a
  3x3 convolution, dense layers and stems at the best rate for those, pools for free.
- **The peers' padding.** Each pads as its own kernels do, with zeros or ones; the MACs are the
  same. 3PXNet skips products outside the image, so on images smaller than those of the standard
  layers, such as the 4x4 of the three-stage network, it would take fewer than estimated here.
- **Energy.** Power consumption was not measured.
"""
