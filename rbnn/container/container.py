"""The model container: one shared set of bits, the layer table, and every task's sealed block.

``header | layer table | task table | P | sealed blocks``; SPEC.md lists every byte.
``rbnn.container.build`` makes one, ``rbnn.container.parse`` reads one.
"""

from __future__ import annotations

import binascii
import hashlib
from dataclasses import dataclass

from rbnn.container.errors import ExportError
from rbnn.container.plan import ContainerPlan
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.key_stream import StreamKeys, stream_key
from rbnn.spec.layout import (
    CONTAINER_HEADER,
    LAYER,
    SEALED_NONCE_BYTES,
    SEALED_TAG_BYTES,
    Cipher,
    FrontEnd,
)
from rbnn.spec.link import Benchmark
from rbnn.spec.published import TEST_ONLY_PROVIDER_PUBLIC

SEALED_OVERHEAD = SEALED_NONCE_BYTES + SEALED_TAG_BYTES
CRC_OFFSET = CONTAINER_HEADER.offset("crc32")


@dataclass(frozen=True)
class SealedTask:
    """One task as the container has it: name, class count, sealed block, what makes its input,
    which benchmark it stands for.

    ``front_end`` is a :class:`FrontEnd` and ``benchmark`` a :class:`Benchmark`, or the number of
    one that a later version knows.
    """

    name: str
    classes: int
    sealed: bytes
    front_end: int = FrontEnd.NONE
    benchmark: int = Benchmark.NONE

    @property
    def takes_sound(self) -> bool:
        """Whether this version's front end makes its input."""
        return self.front_end == FrontEnd.LOG_MEL


@dataclass(frozen=True)
class Container:
    """A parsed container.

    Args:
        data: all of its bytes.
        model_id: 16 bytes.
        provider_public: 32 bytes.
        cipher: of the key streams.
        trunk_layers: how many of the first layers have one key for all tasks.
        topology: the network, its channels padded.
        plan: where its parts lie.
        weights: the shared bits P.
        tasks: in task order.
    """

    data: bytes
    model_id: bytes
    provider_public: bytes
    cipher: Cipher
    trunk_layers: int
    topology: Topology
    plan: ContainerPlan
    weights: bytes
    tasks: tuple[SealedTask, ...]

    @property
    def digest(self) -> bytes:
        """Model digest: BLAKE2b-256 of all bytes."""
        return hashlib.blake2b(self.data, digest_size=32).digest()

    @property
    def takes_sound(self) -> bool:
        """Whether a device with this model can listen."""
        return any(task.takes_sound for task in self.tasks)

    @property
    def benchmarks(self) -> dict[str, int]:
        """Which benchmark each task stands for, by the task's name."""
        return {task.name: task.benchmark for task in self.tasks}

    @property
    def is_test_only(self) -> bool:
        """Whether its keys are published: its provider is ``rbnn.spec.published``'s."""
        return self.provider_public == TEST_ONLY_PROVIDER_PUBLIC

    def stored_bits(self, layer: int) -> bytes:
        """Layer ``layer``'s part of P, packed; empty if it has no bits."""
        place = self.plan.placements[layer]
        return self.weights[place.weights_offset : place.weights_offset + place.weights_bytes]

    def keys(self, secret: bytes, trunk_key: bytes) -> StreamKeys:
        """Keys of a task's streams.

        Args:
            secret: task secret S_t, 32 bytes.
            trunk_key: what the task's sealed block holds, 32 bytes.
        """
        return StreamKeys(stream_key(secret, self.model_id), trunk_key, self.trunk_layers)

    def task_number(self, name: str) -> int:
        """Number of the task called ``name``.

        Raises:
            ExportError: there is none.
        """
        names = [task.name for task in self.tasks]
        if name not in names:
            raise ExportError(f"The model has no task {name!r}.", f"It has: {', '.join(names)}.")
        return names.index(name)


def layer_members(layer: Layer) -> dict[str, int]:
    """Members of a layer's record that follow from the layer by itself."""
    return {
        "op": layer.op.number,
        "packing": int(layer.packing),
        "kernel": layer.kernel,
        "stride": layer.stride,
        "pad": layer.pad,
        "pool": layer.pool,
        "stage": int(layer.stage),
        "activation": int(layer.activation),
        "sign": int(layer.sign),
        "output": int(layer.output),
        "in_height": layer.in_shape[0],
        "in_width": layer.in_shape[1],
        "in_channels": layer.in_shape[2],
        "out_height": layer.out_shape[0],
        "out_width": layer.out_shape[1],
        "out_channels": layer.out_shape[2],
    }


def layer_record(topology: Topology, layout: ContainerPlan, number: int) -> bytes:
    """Record ``number`` of the layer table."""
    layer, place = topology.layers[number], layout.placements[number]
    shortcut = None if layer.shortcut is None else topology.layers[layer.shortcut]
    return LAYER.pack(
        {
            **layer_members(layer),
            "shortcut_channels": 0 if shortcut is None else shortcut.out_shape[2],
            "in_offset": place.in_offset,
            "out_offset": place.out_offset,
            "stream_offset": place.stream_offset,
            "shortcut_offset": place.shortcut_offset,
            "weights_offset": place.weights_offset,
            "weights_bytes": place.weights_bytes,
            "params_offset": place.params_offset,
        }
    )


def container_crc32(data: bytes) -> int:
    """CRC-32 of a container with its own member read as zero."""
    return binascii.crc32(data[:CRC_OFFSET] + bytes(4) + data[CRC_OFFSET + 4 :])
