"""What the host reads from others, with valid examples to start from."""

from __future__ import annotations

import binascii
import io
import struct
import threading
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from licensed_world import World, partition
from PIL import Image

from rbnn.container import parse as container
from rbnn.container.container import CRC_OFFSET, container_crc32
from rbnn.container.seal import unseal
from rbnn.device.answers import Answer
from rbnn.device.line import SerialLine
from rbnn.device.session import Session
from rbnn.keys import licence, provisioning, puf, registry_key, user_key
from rbnn.keys.provider_key import load_provider_key, load_provider_public
from rbnn.spec.layout import PROVISIONING_HEADER
from rbnn.tasks.picture import read_picture
from rbnn.tasks.wav import read_wav

PUBLIC = "0123456789abcdef" * 4
ANSWERS = {
    "identify": ["m-firmware-[0.1.0]", "m-build-[release]", "m-board-[qemu]",
                 f"m-model-id-[{PUBLIC[:32]}]",
                 f"m-model-digest-[{PUBLIC}]", "m-protection-[none]",
                 "m-puf-[enrolled]", f"m-public-[{PUBLIC}]"],
    "tasks": ["m-task-[0,colour,10,active]", "m-task-[1,grey,4,locked]"],
    "licences": [f"m-licence-[0,colour,{PUBLIC[:32]},1,flash]"],
    "enroll": ["m-helper-[0,00ff]", f"m-public-[{PUBLIC}]", f"m-sign-public-[{PUBLIC}]"],
    "switch": ["m-lap-us-10", "m-lap-us-12", "m-active-[grey]"],
    "infer": ["m-warmup-start-0", "m-warmup-done", "m-infer-start-1", "m-lap-us-5", "m-lap-us-9",
              "m-infer-done", "m-results-[0.250000,0.750000]"],
    "results": ["m-results-[0.250000,0.750000]"],
    "active_task": ["m-input-[8,8,3]", "m-label-[0,cat]", "m-label-[1,dog]"],
    "trace": ["m-layer-[0,stem,120,00ff00ff]", "m-layer-[1,dense,30,12345678]",
              "m-results-[0.250000,0.750000]", "m-ticks-hz-[25000000]"],
    "stack": ["m-stack-[100,8192]"],
    "self_test": ["m-selftest-[aead,ok]", "e-[self-test: a part of the firmware failed]"],
}  # fmt: skip
"""An answer to each method of a session."""
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "switch": ("grey",), "infer": (b"",), "trace": (b"",),
}  # fmt: skip


class SpokenPort:
    """A serial port that says some bytes after every command, and no more."""

    def __init__(self, said: bytes) -> None:
        self.answer = said
        self.said = said
        self.in_waiting = 0

    def read(self, size: int) -> bytes:
        if not self.said:
            raise OSError("unplugged")
        said, self.said = self.said, b""
        return said

    def write(self, data: bytes) -> int:
        self.said = self.answer
        return len(data)

    def flush(self) -> None: ...

    def reset_input_buffer(self) -> None: ...


class UnloadedSession(Session):
    """A session whose inputs are taken as loaded."""

    def __init__(self, method: str, said: bytes) -> None:
        self.emulation = None
        self.method = method
        self.line = SerialLine.__new__(SerialLine)
        self.line._interrupted = threading.Event()
        self.line.path = "port"
        self.line._port = SpokenPort(said)
        self.line._pending = b""
        self.line._in_step = True
        self.line.patience = 1.0

    def load(self, data: bytes) -> None: ...

    def query(self, command: str, timeout_s: float = 1.0, *, heard: str | None = None) -> Answer:
        """Once: a second answer, to be compared with the first, would hide what the first does."""
        return self._once(command, timeout_s)


@dataclass(frozen=True)
class Reader:
    """A function that reads bytes, valid examples, and what corrects a checksum, if any."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    repair: Callable[[bytes], bytes] | None = None


def with_container_crc(data: bytes) -> bytes:
    changed = bytearray(data)
    if len(changed) >= CRC_OFFSET + 4:
        changed[CRC_OFFSET : CRC_OFFSET + 4] = struct.pack("<I", container_crc32(bytes(changed)))
    return bytes(changed)


def with_partition_crc(data: bytes) -> bytes:
    at = PROVISIONING_HEADER.offset("crc32")
    if len(data) < PROVISIONING_HEADER.size:
        return data
    total = PROVISIONING_HEADER.unpack(data[: PROVISIONING_HEADER.size])["total_bytes"]
    assert isinstance(total, int)
    crc = binascii.crc32(data[:at] + bytes(4) + data[at + 4 : total])
    return data[:at] + struct.pack("<I", crc) + data[at + 4 :]


def wav(rate: int, width: int, channels: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setframerate(rate)
        file.setsampwidth(width)
        file.setnchannels(channels)
        file.writeframes(np.random.default_rng(1).bytes(100 * width * channels))
    return stream.getvalue()


def picture(kind: str, mode: str) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(stream, kind)
    return stream.getvalue()


def session_readers() -> Mapping[str, Reader]:
    """Every method of a session that reads an answer."""

    def reader(method: str) -> Callable[[bytes], object]:
        return lambda said: getattr(UnloadedSession(method, said), method)(
            *ARGUMENTS.get(method, ())
        )

    return {
        f"answer to {method}": Reader(
            reader(method), ("".join(f"{line}\r\n" for line in (*lines, "m-ready")).encode(),)
        )
        for method, lines in ANSWERS.items()
    }


def readers(world: World, folder: Path) -> Mapping[str, Reader]:
    """All of them, by name."""
    made = world.container()
    own = world.licence(0)
    whole = partition(world, own, world.licence(1))
    pattern = world.device.fingerprint.power_up(0.1, np.random.default_rng(1))
    line = user_key.UserKey(user_key.Secret(bytes(range(32)))).line().encode()
    pem = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3\n-----END"
    for name in ("passphrase", "empty"):
        (folder / name).write_bytes(b"correct horse battery")
        (folder / name).chmod(0o600)

    def of_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
        path = folder / name

        def written(data: bytes) -> object:
            path.write_bytes(data)
            path.chmod(0o600)
            return read(path)

        return written

    return {
        "container": Reader(container.parse, (made.data,), with_container_crc),
        "licence": Reader(licence.parse, (own.data,)),
        "provisioning": Reader(provisioning.parse, (whole,), with_partition_crc),
        "helper record": Reader(
            lambda record: puf.reproduce(pattern, record), (world.device.helper_record,)
        ),
        "sealed block": Reader(
            lambda data: unseal(data, world.secrets[1], world.model_id, 1),
            (made.tasks[1].sealed,),
        ),
        "user key": Reader(of_file(user_key.load_user_key, "user.key"), (line,)),
        "provider key": Reader(
            of_file(lambda path: load_provider_key(path, folder / "passphrase"), "provider.pem"),
            (pem,),
        ),
        "provider's public key": Reader(
            of_file(lambda path: load_provider_public(path.with_suffix("")), "provider.pub"),
            (world.provider.public.hex().encode() + b"\n",),
        ),
        "registry's key": Reader(
            of_file(lambda path: registry_key.read_key(path, "registry"), "registry.key"),
            (PUBLIC.encode() + b"\n",),
        ),
        "WAV": Reader(
            lambda raw: read_wav(raw, "file"),
            (wav(16_000, 2, 1), wav(8_000, 1, 2), wav(44_100, 3, 1)),
        ),
        "PNG and JPEG": Reader(
            lambda raw: read_picture(raw, "file"),
            (picture("PNG", "RGB"), picture("PNG", "P"), picture("PNG", "LA"),
             picture("JPEG", "RGB")),
        ),
        **session_readers(),
    }  # fmt: skip
