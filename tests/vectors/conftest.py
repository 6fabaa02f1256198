"""Public vectors and the computers that run them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from computers import Computer, host_command, qemu_command

from rbnn.image import monocypher

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def public_vectors() -> Callable[[str], Any]:
    """Reads a published file, or skips."""
    folder = Path(os.environ.get("RBNN_VECTORS", ROOT.parent / "shared" / "vectors"))

    def read(name: str) -> Any:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"{name} is not in {folder}; name the folder in RBNN_VECTORS")
        return json.loads(path.read_text())

    return read


@pytest.fixture(scope="session", params=["host", pytest.param("qemu", marks=pytest.mark.qemu)])
def computer(request: pytest.FixtureRequest) -> Iterator[Computer]:
    """The vectors application: host build under sanitizers, then Cortex-M4 under QEMU."""
    monocypher.lay_out(monocypher.folder())
    if request.param == "host":
        command = host_command()
    else:
        for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed")
        command = qemu_command()
    running = Computer(command)
    yield running
    running.close()
