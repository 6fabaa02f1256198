"""What the experimenter knows of a run's layers: stored bits, and the key bits of each task.

An attack is shown a part of it, and measured against the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rbnn.nets.padding import PaddedNetwork, pad
from rbnn.nets.schemes import pair_signs
from rbnn.runs.config import RunConfig
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.spec.key_stream import (
    NO_TRUNK,
    StreamKeys,
    key_stream,
    stream_key,
    trunk_key,
)
from rbnn.spec.packing import Bits, pack_kernel, packed_bytes, unpack_kernel

Masks = Mapping[int, Bits]
"""Key bits by layer number, in Keras' order, without padding; True negates the stored weight."""
SHORT_BYTES = 4
"""Of the deliberately short key: 32 bits, repeated."""


@dataclass(frozen=True)
class StoredLayers:
    """A trained run's stored bits, and who has which keys.

    Args:
        config: of the run.
        network: its layers, padded.
        stored: P by layer number, in Keras' order, without padding.
        secrets: by task name.
    """

    config: RunConfig
    network: PaddedNetwork
    stored: Masks
    secrets: Mapping[str, bytes]

    @classmethod
    def of(cls, run: Run) -> StoredLayers:
        """Read a run.

        Raises:
            RbnnError: a file of it is missing or damaged.
        """
        config = run.config()
        kernels = ModelParameters.load(run.parameters_file).kernels
        stored = {number: kernel >= 0 for number, kernel in kernels.items()}
        return cls(config, pad(config.topology()), stored, run.secrets())

    @property
    def trunk_layers(self) -> int:
        """How many of the first layers have one key for all tasks."""
        return self.config.topology().trunk_layers(self.config.trunk)

    def masks(self, task: str) -> dict[int, Bits]:
        """The key bits of ``task``, as its device computes them."""
        return {n: self.unpacked(n, stream) for n, stream in self.streams(task).items()}

    def streams(self, task: str) -> dict[int, bytes]:
        """The same in the order of the key stream, padding included."""
        model_id = bytes.fromhex(self.config.model_id)
        trunk = NO_TRUNK
        if self.trunk_layers:
            trunk = trunk_key([self.secrets[one.name] for one in self.config.tasks], model_id)
        keys = StreamKeys(stream_key(self.secrets[task], model_id), trunk, self.trunk_layers)
        cipher = self.config.key_cipher
        return {n: key_stream(keys.of(n), n, self._bytes(n), cipher) for n in self.stored}

    def sign_streams(self, task: str) -> dict[int, bytes]:
        """Key bits as scheme ``sign`` has them: one per pair of channels, the same for all taps."""
        key = stream_key(self.secrets[task], bytes.fromhex(self.config.model_id))
        made = {}
        for number, bits in self.stored.items():
            inputs, outputs = bits.shape[-2:]
            signs = pair_signs(key, number, inputs, outputs, self.config.key_cipher)
            made[number] = self.packed(number, np.broadcast_to(signs, bits.shape))
        return made

    def short_streams(self, task: str) -> dict[int, bytes]:
        """A stream that repeats its first 32 bits."""
        return {
            number: (stream[:SHORT_BYTES] * -(-len(stream) // SHORT_BYTES))[: len(stream)]
            for number, stream in self.streams(task).items()
        }

    def packed(self, number: int, bits: Bits) -> bytes:
        """A layer's bits as they lie in flash; padding is zero."""
        packing = self.network.topology.layers[number].packing
        return pack_kernel(self.network.embed(number, bits), packing)

    def unpacked(self, number: int, data: bytes) -> Bits:
        """Undo :meth:`packed`, of key bits as of weights."""
        layer = self.network.topology.layers[number]
        return self.network.extract(number, unpack_kernel(data, layer.kernel_shape, layer.packing))

    def _bytes(self, number: int) -> int:
        layer = self.network.topology.layers[number]
        return packed_bytes(layer.kernel_shape, layer.packing)


def flat_bits(data: bytes) -> Bits:
    """Packed bits one by one."""
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little").astype(np.bool_)
