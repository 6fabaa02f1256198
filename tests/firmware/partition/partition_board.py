"""A device with a model partition, as a process, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from host_firmware import HostFirmware
from licensed_model import enroll

from rbnn.container.container import Container
from rbnn.keys import provisioning
from rbnn.keys.models.signed import SignedModel
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.partition import SIGNED_MODEL_HEADER
from rbnn.spec.puf import PATTERN_BYTES

SECTOR = 4096
PATTERN = np.random.default_rng(11).bytes(PATTERN_BYTES)
PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
USER = UserKey(Secret(bytes(range(7, 39))))


@dataclass(frozen=True)
class Made:
    """A firmware with a model partition, and models for it."""

    program: Path
    old: Any
    new: Any
    wide: Any
    foreign: Any

    def sectors(self, *models: Any) -> int:
        sizes = [SIGNED_MODEL_HEADER.size + len(one.export.container.data) for one in models]
        return sum(-(-size // SECTOR) for size in sizes)


class Board:
    """A device whose partition has so many sectors; its power is off."""

    def __init__(self, made: Made, folder: Path, sectors: int, model: SignedModel | None) -> None:
        self.made, self.folder = made, folder
        self.model = folder / "model.bin"
        data = b"" if model is None else model.data
        self.model.write_bytes(data.ljust(sectors * SECTOR, b"\xff"))
        self.store = folder / "store.bin"
        self.provisioning: bytes | None = None

    def on(self) -> HostFirmware:
        return HostFirmware(
            *(self.made.program, PATTERN, self.folder, self.provisioning), self.store, self.model
        )

    def enroll(self) -> tuple[bytes, bytes]:
        with self.on() as firmware:
            record, public = enroll(firmware)
        self.provisioning = provisioning.build(record, [])
        return record, public


def begin(firmware: HostFirmware, header: bytes, word: str = "load") -> list[str]:
    firmware.load(header)
    return firmware.ask(f"model {word}")


def send(firmware: HostFirmware, data: bytes, step: int = 8192) -> None:
    for start in range(0, len(data), step):
        firmware.load(data[start : start + step])
        (said,) = firmware.ask(f"model {start}")
        assert said.startswith(f"m-model-load-[{min(start + step, len(data))},{len(data)},"), said


def load(firmware: HostFirmware, model: SignedModel, word: str = "load") -> list[str]:
    (said,) = begin(firmware, model.header, word)
    assert said.startswith(f"m-model-load-[0,{len(model.container.data)},"), said
    send(firmware, model.container.data)
    return firmware.ask("model end")


def digest_of(firmware: HostFirmware) -> str:
    found = [line for line in firmware.ask("id") if line.startswith("m-model-digest-[")]
    return found[0][len("m-model-digest-[") : -1] if found else ""


def has(board: Board, container: Container | None) -> bool:
    """Whether that model is the one of the next start."""
    with board.on() as firmware:
        return digest_of(firmware) == ("" if container is None else container.digest.hex())
