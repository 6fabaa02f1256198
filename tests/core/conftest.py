"""The sanitized drivers, built once, and a container to break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from core_driver import Driver
from run_driver import RunDriver, build_native

from rbnn.container.seal import unseal
from rbnn.engine.compile import SANITIZERS, compile_native, engine_sources


@pytest.fixture(scope="session")
def driver_program() -> Path:
    """``core_driver.c`` with the whole core, under AddressSanitizer and UBSan."""
    source = Path(__file__).parent / "drivers" / "core_driver.c"
    flags = ("-O1", *SANITIZERS)
    return compile_native("core_driver", [*engine_sources(), source], flags)


@pytest.fixture(scope="session")
def driver(driver_program: Path) -> Iterator[Driver]:
    """One running driver for all tests."""
    running = Driver(driver_program)
    yield running
    running.close()


@pytest.fixture(scope="session")
def kernels() -> Iterator[RunDriver]:
    """One kernel per request: ``run_driver.c`` under AddressSanitizer and UBSan."""
    running = RunDriver(build_native())
    yield running
    running.close()


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    return random_export(architecture="resnet", tasks=(("colour", 10, 3), ("grey", 4, 1)))


@pytest.fixture(scope="module")
def container(made: Any) -> bytes:
    data: bytes = made.export.container.data
    return data


@pytest.fixture(scope="module")
def params(made: Any) -> bytes:
    """Opened parameters of task 0."""
    whole = made.export.container
    return unseal(whole.tasks[0].sealed, made.secrets["colour"], whole.model_id, 0)
