"""A licensed device on this machine: the C vault under sanitizers, with the host issuing."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.container.build import build
from rbnn.container.container import Container, SealedTask
from rbnn.container.plan import plan
from rbnn.container.seal import seal
from rbnn.keys import provisioning, puf
from rbnn.keys.fingerprint import Fingerprint
from rbnn.keys.licence import Licence, issue
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.nets import vgg
from rbnn.spec import kdf
from rbnn.spec.published import TEST_ONLY_MARKER
from rbnn.spec.store import (
    STORE_HEADER,
    STORE_MAGIC,
    STORE_SLOT_BYTES,
    STORE_TAG_BYTES,
    STORE_TASKS,
    STORE_VERSION,
)

ERROR_RATE = 0.10
TASKS = ("digits", "words", "cats")
STORE_PAGE_BYTES = (1 + 2 * STORE_TASKS) * STORE_SLOT_BYTES
"""The smallest that the firmware takes."""


def key_bytes(name: str) -> bytes:
    """A TEST-ONLY key."""
    return (TEST_ONLY_MARKER + name.encode()).ljust(32, b".")[:32]


@dataclass
class Device:
    """A device, its model and what it was given."""

    fingerprint: Fingerprint
    helper_record: bytes
    public: bytes
    sign_seed: bytes
    root: bytes


def make_device(seed: int) -> Device:
    """A device as enrolment on the host's model makes it."""
    fingerprint = Fingerprint.draw(seed)
    enrolment = puf.enroll(fingerprint.power_up(ERROR_RATE, np.random.default_rng(seed)))
    root = enrolment.root.reveal()
    private = X25519PrivateKey.from_private_bytes(kdf.derive(root, kdf.Label.DEVICE_X25519))
    return Device(
        fingerprint,
        enrolment.helper_record,
        private.public_key().public_bytes_raw(),
        kdf.derive(root, kdf.Label.DEVICE_SIGN),
        root,
    )


@dataclass
class World:
    """Provider, user, model and two devices; all keys TEST-ONLY."""

    driver: Path
    folder: Path
    provider: ProviderKey = field(
        default_factory=lambda: ProviderKey(
            X25519PrivateKey.from_private_bytes(key_bytes("provider"))
        )
    )
    user: UserKey = field(default_factory=lambda: UserKey(Secret(key_bytes("user"))))
    device: Device = field(default_factory=lambda: make_device(1))
    other_device: Device = field(default_factory=lambda: make_device(2))
    model_id: bytes = b"model of the day"
    secrets: tuple[bytes, ...] = tuple(key_bytes(name) for name in TASKS)
    params: tuple[bytes, ...] = (b"parameters of digits" * 100, b"of words" * 8, b"of cats" * 9)

    def container(
        self, blocks: dict[int, bytes] | None = None, model_id: bytes | None = None
    ) -> Container:
        """The model; ``blocks`` replaces sealed blocks by task number."""
        identity = self.model_id if model_id is None else model_id
        topology = vgg.topology((8, 8, 3), 4, 32)
        weights = {
            number: bytes(place.weights_bytes)
            for number, place in enumerate(plan(topology).placements)
            if place.weights_bytes
        }
        sealed = [
            seal(self.params[number], self.secrets[number], identity, number)
            for number in range(len(TASKS))
        ]
        for number, block in (blocks or {}).items():
            sealed[number] = block
        tasks = [SealedTask(name, 4, block) for name, block in zip(TASKS, sealed, strict=True)]
        return build(topology, identity, self.provider.public, weights, tasks)

    def licence(self, task: int, **changes: object) -> Licence:
        """A licence for the device, the user and the model, unless changed."""
        container = self.container()
        values: dict[str, object] = {
            "provider": self.provider,
            "device_public": self.device.public,
            "user_key": self.user,
            "model_id": container.model_id,
            "model_digest": container.digest,
            "task_number": task,
            "secret": self.secrets[task],
            "sequence": 1,
            "inference_limit": 0,
        }
        return issue(**{**values, **changes})  # type: ignore[arg-type]

    def run(
        self,
        commands: Sequence[str],
        *,
        container: bytes | str | None = "own",
        partition: bytes | None = None,
        pattern: bytes | str | None = "own",
        store: Path | None = None,
    ) -> list[list[str]]:
        """Power the device up and give it commands.

        Args:
            commands: lines of vault_driver.c.
            container: its model; None for none.
            partition: its provisioning; None for none.
            pattern: SRAM at power-on; None after a warm reset.
            store: file that plays the flash of its store; None for a device without one.

        Returns:
            Each answer, split into words.
        """
        if container == "own":
            container = self.container().data
        if pattern == "own":
            pattern = self.device.fingerprint.power_up(ERROR_RATE)
        arguments = []
        for name, data in (("model", container), ("partition", partition), ("sram", pattern)):
            path = self.folder / name
            if data is not None:
                assert isinstance(data, bytes)
                path.write_bytes(data)
            arguments.append("-" if data is None else str(path))
        arguments.append("-" if store is None else str(store))
        done = subprocess.run(
            [str(self.driver), *arguments],
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
        assert done.stderr == ""
        return [line.split() for line in done.stdout.splitlines()]


def store_bytes(device: Device, base: int = 0) -> bytes:
    """All that the store of a device holds that was just enrolled, by SPEC.md."""
    content = STORE_HEADER.pack(
        {
            "magic": STORE_MAGIC,
            "version": STORE_VERSION,
            "reserved": 0,
            "generation": 1,
            "base": base,
            "tag": bytes(STORE_TAG_BYTES),
        }
    )[:-STORE_TAG_BYTES]
    key = kdf.derive(device.root, kdf.Label.DEVICE_STORE)
    tag = kdf.derive(key, kdf.Label.STORE_TAG, content + struct.pack("<II", 1, 0))
    return content + tag[:STORE_TAG_BYTES]


def empty_store(device: Device, file: Path, base: int = 0) -> Path:
    """The flash of a device that was just enrolled."""
    file.write_bytes(store_bytes(device, base).ljust(2 * STORE_PAGE_BYTES, b"\xff"))
    return file


def partition(world: World, *licences: Licence) -> bytes:
    """The partition of the world's own device with these licences."""
    return provisioning.build(world.device.helper_record, licences)


def unlock(world: World, task: int, licence: Licence, user: UserKey | None = None) -> str:
    """The command that unlocks a task with a licence's key."""
    psk = (user or world.user).psk(licence.licence_id)
    return f"unlock {task} {psk.hex()}"


def words(answers: list[list[str]]) -> list[str]:
    """The first word of each answer."""
    return [answer[0] for answer in answers]
