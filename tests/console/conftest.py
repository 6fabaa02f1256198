"""A console that is served to tests, with a small random model on an emulated board."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from served_console import PICTURES, SOUNDS, Served

from rbnn.console.board import HeldBoard
from rbnn.console.serve import Console
from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image.board import load_board
from rbnn.keys.provider_key import create_provider_key
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import create_user_key


def quiet(line: str) -> None:
    """Discards progress messages."""


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("console")
    provider = create_provider_key(folder / "provider.pem", Secret(b"correct horse battery"))
    user_key = create_user_key(folder / "user.key")
    made = random_export(provider_public=provider.public, tasks=((PICTURES, 10, 3), (SOUNDS, 4, 1)))
    registry = Registry.open(folder / "registry.sqlite")
    target = EmulatedTarget(load_board("qemu"), folder / "device", quiet)
    EmulatedBoard.create(folder / "device", "qemu", seed=7)
    prepared = deploy.prepare(made.run, target, provider.public, quiet, development=True)
    deploy.flash(prepared, target, provider, user_key, registry, (), quiet)
    held = HeldBoard(target, lambda: user_key, folder / "runs")
    held.connect()
    console = Console(held)
    thread = threading.Thread(target=console.serve_until_interrupted)
    thread.start()
    yield Served(console, held, target, user_key, folder / "runs")
    console.should_exit = True
    thread.join(30)
    target.emulator.power_off()
    registry.close()
    assert not thread.is_alive()


@pytest.fixture
def console(served: Served) -> Served:
    """The console with its board connected and locked."""
    served.act("connect")
    served.act("lock")
    return served


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "sign & <b>co.png"
    noise = np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path
