"""A device with a model and licences, made by the host's own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import host_firmware
import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from host_firmware import HostFirmware

from rbnn.engine.reference import Reference
from rbnn.export.export import Export
from rbnn.keys import licence, provisioning
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey


@dataclass(frozen=True)
class LicensedModel:
    """``program`` carries ``export``; ``partition`` holds helper data and ``licences``."""

    program: Path
    export: Export
    secrets: dict[str, bytes]
    images: dict[str, Any]
    pattern: bytes
    public: bytes
    record: bytes
    provider: ProviderKey
    user: UserKey
    licences: dict[str, Licence]
    partition: bytes
    store: Path

    def psk(self, task: str) -> str:
        """The pre-shared key of a task's licence, as ``unlock`` takes it."""
        return self.user.psk(self.licences[task].licence_id).hex()

    def noisy_pattern(self, rate: float = 0.1) -> bytes:
        """Another power-up of the same SRAM."""
        rng = np.random.default_rng()
        flips = np.packbits(rng.random(8 * len(self.pattern)) < rate, bitorder="little")
        return bytes(np.frombuffer(self.pattern, np.uint8) ^ flips)

    def reference(self, task: str) -> Reference:
        """The integer reference of a task."""
        names = [entry.name for entry in self.export.container.tasks]
        return Reference.open(self.export.container, names.index(task), self.secrets[task])

    def issue(
        self,
        task: str,
        *,
        digest: bytes | None = None,
        limit: int = 0,
        release_only: bool = False,
    ) -> Licence:
        """One more licence for this device and user."""
        container = self.export.container
        names = [entry.name for entry in container.tasks]
        return licence.issue(
            self.provider,
            self.public,
            self.user,
            container.model_id,
            container.digest if digest is None else digest,
            names.index(task),
            self.secrets[task],
            sequence=9,
            inference_limit=limit,
            release_only=release_only,
        )


def enroll(firmware: HostFirmware) -> tuple[bytes, bytes]:
    """Helper record and public key of a fresh device."""
    lines = firmware.ask("enroll")
    helper = [line[len("m-helper-[") : -1] for line in lines if line.startswith("m-helper-[")]
    record = b""
    for entry in helper:
        offset, _, data = entry.partition(",")
        assert int(offset) == len(record)
        record += bytes.fromhex(data)
    public = next(line for line in lines if line.startswith("m-public-["))
    return record, bytes.fromhex(public[len("m-public-[") : -1])


def make_licensed_model(
    random_export: Callable[..., Any], folder: Path, pattern: bytes
) -> LicensedModel:
    """Export a random network, build it, enrol the device and license both tasks."""
    rng = np.random.default_rng(12)
    provider = ProviderKey(X25519PrivateKey.from_private_bytes(rng.bytes(32)))
    user = UserKey(Secret(rng.bytes(32)))
    made = random_export(provider_public=provider.public)
    program = host_firmware.build(made.export.folder)
    store = folder / "store.bin"
    with HostFirmware(program, pattern, folder, store=store) as firmware:
        record, public = enroll(firmware)
    container = made.export.container
    licences = {
        task.name: licence.issue(
            provider,
            public,
            user,
            container.model_id,
            container.digest,
            number,
            made.secrets[task.name],
            sequence=number + 1,
        )
        for number, task in enumerate(container.tasks)
    }
    return LicensedModel(
        program,
        made.export,
        made.secrets,
        made.images,
        pattern,
        public,
        record,
        provider,
        user,
        licences,
        provisioning.build(record, list(licences.values())),
        store,
    )
