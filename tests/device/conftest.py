"""A small random model on an emulated board, flashed as `rbnn flash` does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flashed_board import Flashed, assert_answers, quiet
from scripted_device import ScriptedDevice

from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.session import Session
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image.board import load_board
from rbnn.keys.provider_key import create_provider_key
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import create_user_key


@pytest.fixture(scope="session")
def flashed(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> Iterator[Flashed]:
    """Made once; tests that change flash or fingerprint work on a copy."""
    folder = tmp_path_factory.mktemp("flashed")
    provider = create_provider_key(folder / "provider.pem", Secret(b"correct horse battery"))
    user_key = create_user_key(folder / "user.key")
    random = random_export(provider_public=provider.public, trunk=3)
    registry = Registry.open(folder / "registry.sqlite")
    target = EmulatedTarget(load_board("qemu"), folder / "device", quiet)
    EmulatedBoard.create(folder / "device", "qemu", seed=7)
    prepared = deploy.prepare(random.run, target, provider.public, quiet, development=True)
    report = deploy.flash(prepared, target, provider, user_key, registry, (), quiet)
    made = Flashed(
        folder, random.run, random.images, provider, user_key, registry, prepared, target, report
    )
    yield made
    for one in (target, *made.copies):
        one.emulator.power_off()
    registry.close()


@pytest.fixture(scope="module")
def line(flashed: Flashed) -> Iterator[Session]:
    """The board right after a power-on; opened only once, because QEMU takes a second to notice."""
    flashed.target.power_cycle()
    with flashed.target.open() as opened:
        yield opened


@pytest.fixture
def session(line: Session) -> Iterator[Session]:
    """The board, enrolled and locked; after the test it must still answer."""
    line.lock()
    yield line
    assert_answers(line)


@pytest.fixture
def device() -> Iterator[Callable[..., ScriptedDevice]]:
    """Makes devices that answer as told: ``device(id="m-board-[qemu]", ...)``."""
    made: list[ScriptedDevice] = []

    def make(raw: bytes = b"", **answers: object) -> ScriptedDevice:
        made.append(ScriptedDevice(answers, raw))
        return made[-1]

    yield make
    for one in made:
        one.close()
