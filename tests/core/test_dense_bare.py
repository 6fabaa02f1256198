"""The dense layer over bits on emulated Cortex-M: same results, and the same number of instructions
for any data.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dense_cases import FILLS, dense_case
from run_driver import MACHINES, build_driver, run_bare

NEEDED = ("arm-none-eabi-gcc", "qemu-system-arm")
pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {' and '.join(NEEDED)}"),
]


@pytest.mark.parametrize("cpu", MACHINES)
def test_same_results_and_steady_instructions(cpu: str, tmp_path: Path) -> None:
    program = build_driver(cpu)
    cases = [dense_case(seed, fill) for seed in range(12) for fill in FILLS]
    steady = [
        [dense_case(seed, fill, inputs, 16, spare) for seed in range(4) for fill in FILLS]
        for inputs, spare in ((1024, 1 << 14), (1024, 0), (2080, 640))
    ]
    for group in steady:
        cases += group
    answers = run_bare(program, cpu, [(request, False) for request, _ in cases], tmp_path)
    for (request, expected), (answer, _) in zip(cases, answers, strict=True):
        assert answer == expected, request.layer
    counts = [count for _, count in answers[-sum(map(len, steady)) :]]
    for group in steady:
        took, counts = counts[: len(group)], counts[len(group) :]
        # The counter ticks once in 0.6 instructions.
        assert max(took) - min(took) <= 2, (group[0][0].layer, took)
