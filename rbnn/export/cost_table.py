"""What one turn of a kernel's loop takes, measured: ``python -m rbnn.report.cost_fit`` writes the
table. Loops that always run together share their cost as the fit happens to place it, so a single
figure need not be one loop's own.
"""

from __future__ import annotations

from rbnn.spec.layout import Operator

CYCLES_PER_INSTRUCTION = {
    Operator.STEM: 1.5,
    Operator.CONV: 1.5,
    Operator.MAX_POOL: 1.5,
    Operator.AVERAGE_POOL: 1.5,
    Operator.DENSE: 1.5,
    Operator.DENSE_STREAM: 1.5,
}
"""Of a Cortex-M4, an estimate: averages of Arm's timing table over the instructions that run: a
load 2 cycles, a load or store of n registers 1 + n, a taken branch 3, anything else 1."""
STREAM_CYCLES_PER_INSTRUCTION = 1.1
"""The same for ChaCha, whose rounds stay in registers."""

COSTS: dict[str, dict[str, float]] = {
    "cortex-m4": {
        "average_pool": 229.06,
        "average_pool position": 27.22,
        "average_pool row": 0.0,
        "average_pool tap": 1.99,
        "average_pool value": 8.76,
        "average_pool value 2x2": 10.5,
        "conv": 761.59,
        "conv band": 0.0,
        "conv index run": 16.44,
        "conv outside": 115.91,
        "conv outside add": 6.59,
        "conv pass": 122.91,
        "conv residual": 64.9,
        "conv residual call": 100.39,
        "conv rprelu": 146.98,
        "conv rprelu call": 200.99,
        "conv signs": 0.0,
        "conv signs call": 113.18,
        "conv start": 27.16,
        "conv tile": 283.82,
        "conv32 add 1": 50.95,
        "conv32 add 3": 115.08,
        "conv32 index": 26.97,
        "conv32 row": 11.42,
        "conv32 table": 682.76,
        "conv64 add 1": 78.61,
        "conv64 add 2": 138.77,
        "conv64 add 3": 198.99,
        "conv64 index": 48.38,
        "conv64 row": 16.0,
        "conv64 table": 1358.72,
        "dense": 119.33,
        "dense block": 320.38,
        "dense class": 14.79,
        "dense piece": 80.21,
        "dense quarter": 99.65,
        "dense rest": 93.13,
        "dense rest tree": 222.55,
        "dense tile": 229.68,
        "dense tree": 242.4,
        "dense unit": 56.61,
        "dense_stream": 156.0,
        "dense_stream class": 38.0,
        "dense_stream tile": 49.0,
        "dense_stream word": 68.0,
        "max_pool": 215.33,
        "max_pool position": 23.67,
        "max_pool word 2x2": 10.0,
        "stem": 0.0,
        "stem code": 31.17,
        "stem compare plain": 330.68,
        "stem compare pool": 265.82,
        "stem fill": 36.23,
        "stem kept": 8.38,
        "stem pixel": 4.53,
        "stem prepare": 700.34,
        "stem residual": 0.0,
        "stem residual call": 160.89,
        "stem row": 0.0,
        "stem rsign": 21.83,
        "stem rsign call": 0.0,
        "stem step": 94.03,
        "stem sum": 83.7,
        "stem sum any": 209.77,
        "stem table narrow": 141.24,
        "stem table wide": 242.05,
        "stem tile step": 0.0,
        "stem turn pool": 357.26,
        "stem value": 16.95,
        "stream block": 739.08,
        "stream call": 73.81,
        "stream double round": 70.0,
        "stream layer": 373.17,
        "stream rest": 944.05,
    },
}
"""Instructions a turn, by core and loop."""
