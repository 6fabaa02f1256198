"""The model container: one shared set of bits, the graph table, and every task's sealed block.

``header | layer table | task table | P | sealed blocks``; SPEC.md lists every byte.
``rbnn.export.build`` makes one, ``rbnn.export.parse`` reads one.
"""

from __future__ import annotations

import binascii
import hashlib
from dataclasses import dataclass

from rbnn.export.errors import ExportError
from rbnn.export.plan import Plan
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import (
    CONTAINER_HEADER,
    LAYER,
    SEALED_NONCE_BYTES,
    SEALED_TAG_BYTES,
    Packing,
)

SEALED_OVERHEAD = SEALED_NONCE_BYTES + SEALED_TAG_BYTES
CRC_OFFSET = CONTAINER_HEADER.offset("crc32")


@dataclass(frozen=True)
class SealedTask:
    """One task as the container has it: name, class count, sealed block."""

    name: str
    classes: int
    sealed: bytes


@dataclass(frozen=True)
class Container:
    """A parsed container.

    Args:
        data: all of its bytes.
        model_id: 16 bytes.
        provider_public: 32 bytes.
        topology: the network.
        plan: where its things lie.
        weights: the shared bits P.
        tasks: in task order.
    """

    data: bytes
    model_id: bytes
    provider_public: bytes
    topology: Topology
    plan: Plan
    weights: bytes
    tasks: tuple[SealedTask, ...]

    @property
    def digest(self) -> bytes:
        """Model digest: BLAKE2b-256 of all bytes."""
        return hashlib.blake2b(self.data, digest_size=32).digest()

    def stored_bits(self, layer: int) -> bytes:
        """Layer ``layer``'s part of P, packed; empty where it has no bits."""
        place = self.plan.placements[layer]
        return self.weights[place.weights_offset : place.weights_offset + place.weights_bytes]

    def task_number(self, name: str) -> int:
        """Number of the task called ``name``.

        Raises:
            ExportError: there is none.
        """
        names = [task.name for task in self.tasks]
        if name not in names:
            raise ExportError(f"The model has no task {name!r}.", f"It has: {', '.join(names)}.")
        return names.index(name)


def layer_record(layer: Layer, layout: Plan, number: int) -> bytes:
    """Record ``number`` of the layer table."""
    place = layout.placements[number]
    return LAYER.pack(
        {
            "op": int(layer.op),
            "packing": int(Packing.ROWS if layer.bits else Packing.NONE),
            "kernel": layer.kernel,
            "stride": layer.stride,
            "pad": layer.pad,
            "reserved": bytes(3),
            "in_height": layer.in_shape[0],
            "in_width": layer.in_shape[1],
            "in_channels": layer.in_shape[2],
            "out_height": layer.out_shape[0],
            "out_width": layer.out_shape[1],
            "out_channels": layer.out_shape[2],
            "in_offset": place.in_offset,
            "out_offset": place.out_offset,
            "weights_offset": place.weights_offset,
            "weights_bytes": place.weights_bytes,
            "params_offset": place.params_offset,
            "reserved2": 0,
        }
    )


def container_crc32(data: bytes) -> int:
    """CRC-32 of a container with its own member read as zero."""
    return binascii.crc32(data[:CRC_OFFSET] + bytes(4) + data[CRC_OFFSET + 4 :])
