"""A library on every Cortex-M that QEMU has, in a program that is not rbnn's firmware: enrolled,
licensed, unlocked, it computes what the integer reference computes. The Cortex-M7 runs the code of
the M4: in ``make test-full`` only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builds import CORES, Core, emulate, have, link_for
from life import make_life

from rbnn.library.describe import STACK_BYTES

MODELS: dict[str, dict[str, Any]] = {
    "cortex-m0": {"architecture": "reactnet", "ends": 8},
    "cortex-m3": {"architecture": "vgg", "ends": 8},
    "cortex-m4": {"architecture": "resnet", "trunk": 2},
    "cortex-m7": {"architecture": "reactnet"},
    "cortex-m33": {"architecture": "vgg", "cipher": "chacha8"},
}
"""Together, all operators."""


@pytest.mark.qemu
@pytest.mark.skipif(
    not have("qemu-system-arm", "arm-none-eabi-gcc", "cmake", "ninja"),
    reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi cmake "
    "ninja-build",
)
@pytest.mark.parametrize(
    "core",
    [
        pytest.param(core, id=name, marks=pytest.mark.full if name == "cortex-m7" else ())
        for name, core in CORES.items()
    ],
)
def test_a_device_lives_with_it(
    core: Core, random_export: Callable[..., Any], tmp_path: Path
) -> None:
    life = make_life(random_export, tmp_path / "library", **MODELS[core.name])
    elf = link_for(core, life, tmp_path / "program")
    *printed, stack = emulate(core, elf)
    assert printed == life.wanted()
    assert 1_000 < int(stack.split()[1]) <= STACK_BYTES
