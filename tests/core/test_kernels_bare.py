"""Stem, stages, pools and the dense layer over the stream on emulated Cortex-M: the same results,
and the same number of instructions whatever the data.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from own_weights_cases import dense8_case, stem8_case
from run_cases import (
    average_pool_case,
    dense_stream_case,
    max_pool_case,
    stem_case,
)
from run_driver import MACHINES, Request, build_driver, run_bare
from stage_cases import FILLS, stage_case

from rbnn.spec.layout import Stage

NEEDED = ("arm-none-eabi-gcc", "qemu-system-arm")
pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {' and '.join(NEEDED)}"),
]
STAGES = (Stage.THRESHOLD, Stage.RESIDUAL)


def cases() -> list[tuple[Request, bytes]]:
    """Every kernel with every fill."""
    found = []
    for seed in range(12):
        found.append(max_pool_case(seed))
        for fill in FILLS:
            found += [average_pool_case(seed, fill), dense_stream_case(seed, fill)]
            found += [dense8_case(seed, fill, stream) for stream in (False, True)]
            for stage in STAGES:
                found += [stage_case(seed, fill, stage), stem_case(seed, fill, stage)]
                found.append(stem_case(seed, fill, stage, weights="ones", pixel=255 * (seed % 2)))
                found += [stem8_case(seed, fill, stage, weights=one) for one in ("wide", "high")]
    for channels in (1, 2, 3, 4):
        for kernel in (1, 3, 5, 7):
            shape = (9, 13, channels, 64, kernel, 1, kernel // 2, 1 + kernel % 4 // 3)
            found.append(stem_case(kernel, "random", Stage.THRESHOLD, shape))
    return found


def variants(request: Request) -> list[Request]:
    """The same shapes with other data: as drawn, all bits zero, all bits one, noise."""
    rng = np.random.default_rng(3)

    def with_bytes(make: object) -> Request:
        assert callable(make)
        # A shift is a size, not data: 0..16.
        head = request.params[:4] if request.layer.get("stage") == Stage.RESIDUAL else b""
        return dataclasses.replace(
            request, data=make(len(request.data)), weights=make(len(request.weights)),
            params=head + make(len(request.params) - len(head)),
            shortcut=make(len(request.shortcut)),
        )  # fmt: skip

    return [request, *map(with_bytes, (bytes, lambda n: b"\xff" * n, rng.bytes))]


@pytest.mark.parametrize("cpu", MACHINES)
def test_same_results_and_steady_instructions(cpu: str, tmp_path: Path) -> None:
    program = build_driver(cpu)
    checked = cases()
    steady = [
        variants(case[0])
        for case in (
            stem_case(1, "random", Stage.THRESHOLD, (16, 16, 3, 64, 3, 1, 1, 1)),
            stem_case(2, "random", Stage.RESIDUAL, (16, 16, 3, 64, 3, 1, 1, 2)),
            stage_case(3, "random", Stage.THRESHOLD), stage_case(4, "random", Stage.RESIDUAL),
            stage_case(5, "random", Stage.RESIDUAL), stage_case(6, "random", Stage.RESIDUAL),
            stem8_case(1, "random", Stage.THRESHOLD, (16, 16, 3, 64, 3, 1, 1, 1)),
            stem8_case(2, "random", Stage.RESIDUAL, (16, 16, 3, 64, 3, 1, 1, 2)),
            dense8_case(9, "random", False), dense8_case(9, "random", True),
            average_pool_case(7, "random"), max_pool_case(8), dense_stream_case(9, "random"),
        )
    ]  # fmt: skip
    requests = [request for request, _ in checked] + [one for group in steady for one in group]
    answers = run_bare(program, cpu, [(request, False) for request in requests], tmp_path)
    for (request, expected), (answer, _) in zip(checked, answers, strict=False):
        assert answer == expected, request.layer
    counts = [count for _, count in answers[len(checked) :]]
    for group in steady:
        took, counts = counts[: len(group)], counts[len(group) :]
        # The counter ticks once in 0.6 instructions.
        assert max(took) - min(took) <= 2, (group[0].layer, took)
