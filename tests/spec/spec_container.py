"""Opens a container with a task secret, written by SPEC.md only; see ``spec_evaluator.py``."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


class _Table:
    """A record as SPEC.md lists it: ``member:type`` in order, types as in ``struct``."""

    def __init__(self, members: str) -> None:
        pairs = [member.split(":") for member in members.split()]
        self._names = [name for name, _ in pairs]
        self._struct = struct.Struct("<" + "".join(kind for _, kind in pairs))

    def read(self, data: bytes, offset: int = 0, number: int = 0) -> dict[str, Any]:
        """Record ``number`` of those that start at ``offset``."""
        values = self._struct.unpack_from(data, offset + number * self._struct.size)
        return dict(zip(self._names, values, strict=True))


_HEADER = _Table(
    "magic:4s version:H header_bytes:H total_bytes:I crc32:I model_id:16s provider_public:32s "
    "architecture:16s input_height:H input_width:H input_channels:H layer_count:H task_count:H "
    "max_classes:H cipher:B scheme:B trunk_layers:H arena_bytes:I work_bytes:I params_bytes:I "
    "layers_offset:I tasks_offset:I weights_offset:I weights_bytes:I"
)
_LAYER = _Table(
    "op:B packing:B kernel:B stride:B pad:B pool:B stage:B activation:B sign:B output:B "
    "in_height:H in_width:H in_channels:H out_height:H out_width:H out_channels:H "
    "shortcut_channels:H in_offset:I out_offset:I stream_offset:I shortcut_offset:I "
    "weights_offset:I weights_bytes:I params_offset:I"
)
_TASK = _Table("name:16s classes:H front_end:B benchmark:B sealed_offset:I sealed_bytes:I")
_PARAMS = _Table(
    "classes:H adapter:B input_channels:B offset0:h offset1:h offset2:h offset3:h "
    "labels_offset:I labels_bytes:I trunk_key:32s"
)

ROUNDS = {0: 20, 1: 12, 2: 8}


def derive(parent: bytes, label: str, context: bytes) -> bytes:
    """Section "Keys"."""
    message = b"rbnn/v1/" + label.encode() + b"\0" + context
    return blake2b(message, key=parent, digest_size=32).digest()


def key_stream(key: bytes, layer: int, size: int, rounds: int) -> bytes:
    """RFC 8439, section 2.4, from counter 0, all blocks at once."""
    blocks = -(-size // 64)
    state = np.zeros((16, blocks), dtype=np.uint32)
    state[:4] = np.frombuffer(b"expand 32-byte k", dtype="<u4")[:, None]
    state[4:12] = np.frombuffer(key, dtype="<u4")[:, None]
    state[12] = np.arange(blocks)
    state[13] = layer
    x = state.copy()

    def step(a: int, b: int, d: int, turn: int) -> None:
        x[a] += x[b]
        x[d] ^= x[a]
        x[d] = (x[d] << np.uint32(turn)) | (x[d] >> np.uint32(32 - turn))

    for k in range(rounds):
        for column in range(4):
            # Even rounds work on columns, odd ones on diagonals.
            b, c, d = (4 * row + (column + row * (k % 2)) % 4 for row in (1, 2, 3))
            for turn_d, turn_b in ((16, 12), (8, 7)):
                step(column, b, d, turn_d)
                step(c, d, b, turn_b)
    return (x + state).T.astype("<u4").tobytes()[:size]


@dataclass(frozen=True)
class Model:
    """A parsed container; ``tasks`` are records of the task table."""

    data: bytes
    header: dict[str, Any]
    layers: list[dict[str, Any]]
    tasks: list[dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """What a task secret opens; ``weights`` by layer, P_l xor key stream."""

    classes: int
    adapter: int
    offsets: list[int]
    labels: list[str]
    plaintext: bytes
    weights: list[bytes]


def open_model(data: bytes) -> Model:
    """Section "Model container"."""
    header = _HEADER.read(data)
    if header["magic"] != b"RBNN" or header["version"] != 3 or header["scheme"] != 0:
        raise ValueError("not a container of version 3 and scheme 0")
    if zlib.crc32(data[:12] + bytes(4) + data[16 : header["total_bytes"]]) != header["crc32"]:
        raise ValueError("the CRC-32 is wrong")
    layers = [_LAYER.read(data, header["layers_offset"], n) for n in range(header["layer_count"])]
    tasks = [_TASK.read(data, header["tasks_offset"], n) for n in range(header["task_count"])]
    return Model(data, header, layers, tasks)


def open_task(model: Model, number: int, secret: bytes) -> Task:
    """Sections "Keys" and "Sealed block": from a task secret to weights and parameters."""
    header, task = model.header, model.tasks[number]
    model_id = header["model_id"]
    sealed = model.data[task["sealed_offset"] :][: task["sealed_bytes"]]
    cipher = ChaCha20Poly1305(derive(secret, "params", model_id))
    plaintext = cipher.decrypt(sealed[:12], sealed[12:], model_id + struct.pack("<H", number))
    digest = blake2b(plaintext, digest_size=32).digest()
    if sealed[:12] != derive(secret, "params-nonce", model_id + digest)[:12]:
        raise ValueError("the nonce is not the one of this plaintext")
    params = _PARAMS.read(plaintext)
    if params["classes"] != task["classes"]:
        raise ValueError("the sealed block names another number of classes")
    own_key = derive(secret, "weights", model_id)
    weights = []
    for position, layer in enumerate(model.layers):
        key = params["trunk_key"] if position < header["trunk_layers"] else own_key
        count = layer["weights_bytes"]
        stream = key_stream(key, position, count, ROUNDS[header["cipher"]])
        start = header["weights_offset"] + layer["weights_offset"]
        stored = np.frombuffer(model.data, np.uint8, count, start)
        weights.append((stored ^ np.frombuffer(stream, np.uint8)).tobytes())
    names = plaintext[params["labels_offset"] :][: params["labels_bytes"]]
    return Task(
        classes=params["classes"],
        adapter=params["adapter"],
        offsets=[params[f"offset{channel}"] for channel in range(header["input_channels"])],
        labels=names.decode().split("\0")[:-1],
        plaintext=plaintext,
        weights=weights,
    )
