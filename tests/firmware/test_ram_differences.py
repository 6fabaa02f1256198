"""Two devices get the same commands with different secrets, and no byte of RAM tells them apart.

The devices have other fingerprints, user keys, task secrets, weights, parameters and providers. A
byte that differs depends on one of these; only what is listed here may. ``make test`` compares the
emulated board and the Nucleo; the Cortex-M3 and the M7 follow in ``make trust``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from emulated_device import Licensed, enroll_and_license
from ram_differences import Places, let_idle, take
from trust_rows import Trust, trust_row

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
from rbnn.spec.link import READY

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
ram_row = trust_row(
    "ram-differences",
    "RAM and registers of two emulated devices after the same commands with other fingerprints, "
    "keys, licences and models: power-on, a refused key, unlock, inferences, one that is stopped, "
    "a refused switch, self-test, lock, warm reset, enrolment; the count is bytes compared",
    "0 bytes differ but the device's own keys, its licences as in flash, and the helper record",
)
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
        return Places(self.build, MEMBERS, self.folder, self.made.export.folder)


@dataclass(frozen=True)
class Image:
    """The firmware of one of the two devices."""

    seed: int
    provider: ProviderKey
    made: Any
    build: BuildResult


@pytest.fixture(
    scope="module",
    params=[
        "qemu",
        "nucleo",
        pytest.param("qemu-m3", marks=pytest.mark.full),
        pytest.param("qemu-m7", marks=pytest.mark.full),
    ],
)
def images(request: pytest.FixtureRequest, random_export: Callable[..., Any]) -> list[Image]:
    """Of one board."""
    found = []
    for seed in (21, 22):
        key = np.random.default_rng([seed, 0]).bytes(32)
        provider = ProviderKey(X25519PrivateKey.from_private_bytes(key))
        made = random_export(seed=seed, provider_public=provider.public, trunk=2)
        build = platformio.build(load_board(request.param), made.export.folder)
        found.append(Image(seed, provider, made, build))
    return found


@pytest.fixture
def fresh(images: list[Image], tmp_path: Path) -> Iterator[list[Fresh]]:
    made = []
    for one in images:
        folder = tmp_path / str(one.seed)
        board = EmulatedBoard.create(folder, one.build.board.name, seed=one.seed)
        board.write_flash(one.build.bin.read_bytes(), one.build.board.flash.bytes)
        emulator = Emulator(folder, one.build.board)
        emulator.power_on()
        user = UserKey(Secret(np.random.default_rng([one.seed, 1]).bytes(32)))
        made.append(Fresh(emulator, one.build, one.made, one.provider, user, folder))
    yield made
    for one in made:
        one.emulator.power_off()


@pytest.fixture
def worlds(fresh: list[Fresh]) -> list[World]:
    return [
        World(enroll_and_license(one.emulator, one.made, one.provider, one.user), one.places())
        for one in fresh
    ]


class Compared:
    """What differs between two devices, step by step."""

    def __init__(self, worlds: list[World]) -> None:
        self._worlds = worlds
        self.bytes = 0
        self.steps: dict[str, set[str]] = {}
        """What differs after a step but must not, and the other way round."""

    def look(self, step: str, expected: set[str]) -> set[str]:
        """Compare the idle devices. Returns what differs."""
        emulators = [world.device.emulator for world in self._worlds]
        places = self._worlds[0].places
        let_idle(emulators, places)
        one, two = (take(emulator, places) for emulator in emulators)
        self.bytes += len(one.registers) + sum(map(len, one.areas.values()))
        found = places.differing(one, two) - {TIME}
        self.steps[step] = found ^ expected
        return found

    def after(
        self, step: str, commands: Callable[[World, Session], object], expected: set[str]
    ) -> set[str]:
        """Give both devices the same commands, then compare."""
        for world in self._worlds:
            with Session(world.device.emulator.serial_path()) as session:
                commands(world, session)
        return self.look(step, expected)

    def tell(self, trust: Trust) -> None:
        """The figure for the row."""
        board = self._worlds[0].device.emulator.board.name
        wrong = {step: found for step, found in self.steps.items() if found}
        steps = f"{len(self.steps)} steps" if len(self.steps) > 1 else next(iter(self.steps))
        trust.measured(f"{board}: {sum(map(len, wrong.values()))} after {steps}", self.bytes)
        assert not wrong, "\n".join(f"after {step}: {found}" for step, found in wrong.items())


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


def stop_and_lock(world: World, session: Session, at_once: bool) -> None:
    """Stop before the first inference, or while one runs."""
    world.unlock(session)
    session.switch("grey")
    session.load(OTHER_IMAGE)
    with serial.Serial(world.device.emulator.serial_path(), 115200, timeout=60) as line:
        started = b"m-infer-start-50000\r\n"
        line.write(b"infer 50000 0%" + b"%" * at_once)
        assert line.read_until(started).endswith(started)
        line.write(b"%" * (not at_once))
        assert line.read_until(READY.encode()).startswith(b"e-[stopped: ")
    session.lock()


@ram_row
def test_a_locked_device_holds_no_secret_but_its_own_key(worlds: list[World], trust: Trust) -> None:
    own = set(KEYS) | set(LICENCES)
    compared = Compared(worlds)
    compared.look("power-on", own)
    compared.after("a refused key", refuse, own)
    compared.after("unlocking and locking", unlock_and_lock, own)
    compared.after("inferences and locking", use, own)
    compared.after("a refused switch", switch_in_vain, own)
    compared.after("the self-test", lambda _, session: session.self_test(), own)
    compared.after(
        "a stopped inference and locking",
        lambda world, session: stop_and_lock(world, session, at_once=world is worlds[0]),
        own,
    )
    # What is looked for can be seen: the active task's parameters, weights and activations.
    seen = compared.after("no locking", activate, own)
    del compared.steps["no locking"]
    compared.after("a warm reset", lambda _, session: session.reset(), set(LICENCES))
    compared.tell(trust)
    assert seen >= {"params", "arena", "work", "device"}


@ram_row
def test_enrolment_leaves_no_secret_but_the_devices_own_key(
    fresh: list[Fresh], trust: Trust
) -> None:
    worlds = [World(Licensed(one.emulator, {}, one.user), one.places()) for one in fresh]
    compared = Compared(worlds)
    compared.after("enrolment", lambda _, session: session.enroll(), set(KEYS) | set(ENROLLED))
    compared.tell(trust)
