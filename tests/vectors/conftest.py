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

from rbnn import monocypher


@pytest.fixture(scope="session")
def public_vectors() -> Callable[[str], Any]:
    """Reads a published file, or skips."""
    folder = os.environ.get("RBNN_VECTORS")

    def read(name: str) -> Any:
        if not folder:
            pytest.skip(f"RBNN_VECTORS is not set; it names the folder of {name}")
        path = Path(folder).expanduser() / name
        if not path.is_file():
            pytest.skip(f"{name} is not in {folder}, the folder that RBNN_VECTORS names")
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
