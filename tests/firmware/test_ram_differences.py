"""Two devices get the same commands with different secrets, and no byte of RAM tells them apart.

The devices have other fingerprints, user keys, task secrets, weights, parameters and providers. A
byte that differs depends on one of these; only what is listed here may.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from emulated_device import Licensed, enroll_and_license
from ram_differences import Places, let_idle, take

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.platformio import BuildResult
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]
TIME = "wraps"
KEYS = {
    "device.vault.private_key": "the device's own key; the fingerprint cannot be read again",
    "device.vault.public_key": "public",
    "device.vault.store.key": "the device's own key of the tags in its store",
    "device.vault.sign": "the device's own key pair, as before",
}
LICENCES = {"device.vault.slots": "licences as they are in flash, readable with licences%"}
ENROLLED = {"serial.input": "the helper record, as enroll% prints it"}
MEMBERS = {
    "device": [name.partition(".")[2] for name in (*KEYS, *LICENCES)],
    "serial": ["input"],
}
IMAGE = bytes(range(256)) * 12
OTHER_IMAGE = bytes(range(256)) * 4


@dataclass(frozen=True)
class World:
    """One of the two devices."""

    device: Licensed
    places: Places

    def unlock(self, session: Session) -> None:
        for task in self.device.licences:
            session.unlock(task, self.device.psk(task))


@dataclass(frozen=True)
class Fresh:
    """A device that is not enrolled."""

    emulator: Emulator
    build: BuildResult
    made: Any
    provider: ProviderKey
    user: UserKey
    folder: Path

    def places(self) -> Places:
        return Places(self.build, MEMBERS, self.folder)


@pytest.fixture(
    params=[
        "qemu",
        "nucleo",
        pytest.param("qemu-m3", marks=pytest.mark.slow),
        pytest.param("qemu-m7", marks=pytest.mark.slow),
    ]
)
def fresh(
    request: pytest.FixtureRequest, random_export: Callable[..., Any], tmp_path: Path
) -> Iterator[list[Fresh]]:
    made = []
    for seed in (21, 22):
        rng = np.random.default_rng(seed)
        provider = ProviderKey(X25519PrivateKey.from_private_bytes(rng.bytes(32)))
        export = random_export(seed=seed, provider_public=provider.public, trunk=2)
        build = platformio.build(load_board(request.param), export.export.folder)
        folder = tmp_path / str(seed)
        board = EmulatedBoard.create(folder, request.param, seed=seed)
        board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
        emulator = Emulator(folder, build.board)
        emulator.power_on()
        user = UserKey(Secret(rng.bytes(32)))
        made.append(Fresh(emulator, build, export, provider, user, folder))
    yield made
    for one in made:
        one.emulator.power_off()


@pytest.fixture
def worlds(fresh: list[Fresh]) -> list[World]:
    return [
        World(enroll_and_license(one.emulator, one.made, one.provider, one.user), one.places())
        for one in fresh
    ]


def differing(worlds: list[World]) -> set[str]:
    emulators = [world.device.emulator for world in worlds]
    places = worlds[0].places
    let_idle(emulators, places)
    return places.differing(*(take(emulator, places) for emulator in emulators)) - {TIME}


def run(worlds: list[World], commands: Callable[[World, Session], object]) -> set[str]:
    """Give both devices the same commands. Returns what differs afterwards."""
    for world in worlds:
        with Session(world.device.emulator.serial_path()) as session:
            commands(world, session)
    return differing(worlds)


def refuse(world: World, session: Session) -> None:
    right = world.device.psk("grey")
    with pytest.raises(DeviceError):
        session.unlock("grey", bytes([right[0] ^ 1]) + right[1:])


def unlock_and_lock(world: World, session: Session) -> None:
    world.unlock(session)
    session.lock()


def activate(world: World, session: Session) -> None:
    world.unlock(session)
    session.switch("grey")
    session.infer(OTHER_IMAGE)
    session.switch("colour")
    session.infer(IMAGE, 2, 1)


def use(world: World, session: Session) -> None:
    activate(world, session)
    session.results()
    session.active_task()
    session.lock()


def switch_in_vain(world: World, session: Session) -> None:
    session.unlock("grey", world.device.psk("grey"))
    session.switch("grey")
    session.infer(OTHER_IMAGE)
    with pytest.raises(DeviceError):
        session.switch("colour")
    session.lock()


def test_a_locked_device_holds_no_secret_but_its_own_key(worlds: list[World]) -> None:
    expected = set(KEYS) | set(LICENCES)
    assert differing(worlds) == expected, "after power-on"
    assert run(worlds, refuse) == expected, "after a refused key"
    assert run(worlds, unlock_and_lock) == expected, "after unlocking and locking"
    assert run(worlds, use) == expected, "after inferences and locking"
    assert run(worlds, switch_in_vain) == expected, "after a refused switch"
    assert run(worlds, lambda _, session: session.self_test()) == expected, "after the self-test"
    # What is looked for can be seen: the active task's parameters, weights and activations.
    assert run(worlds, activate) >= {"params", "arena", "work", "device"}
    assert run(worlds, lambda _, session: session.reset()) == set(LICENCES), "after a warm reset"


def test_enrolment_leaves_no_secret_but_the_devices_own_key(fresh: list[Fresh]) -> None:
    worlds = [World(Licensed(one.emulator, {}, one.user), one.places()) for one in fresh]
    assert run(worlds, lambda _, session: session.enroll()) == set(KEYS) | set(ENROLLED)
