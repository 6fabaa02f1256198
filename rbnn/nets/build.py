"""Keras models of a topology: one per task, sharing every kernel, with batch norms, activations and
thresholds that each task has for itself.

Layer by layer: input (bits or stream) -> kernel -> (max pool) -> stage. A stage of thresholds is a
batch norm; one of a residual stream is a batch norm with gamma, the shortcut's sum, the activation.
Bits are held as the values whose sign they are; the layer that reads them takes the sign, as its
input quantizer, in Larq's way. In front of a threshold a batch norm has no gamma, so that sign and
maximum commute. Where a max pool is the only reader of the layer, the batch norm comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rbnn.nets.build_layers import TaskLayers, shared_layer, task_layers
from rbnn.nets.framework import tf
from rbnn.nets.keras_operator import KERAS, SharedLayer
from rbnn.nets.layers import InputAdapter, TaskLogits
from rbnn.nets.padding import PaddedNetwork, pad
from rbnn.nets.schemes import channel_orders, first_signs, pair_signs
from rbnn.nets.stream_layers import StreamNorm, StreamSum
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.key_stream import StreamKeys, kernel_mask, stream_key, trunk_key
from rbnn.spec.layout import Activation, Adapter, Cipher, Output, Stage
from rbnn.spec.operators import Writes


@dataclass(frozen=True)
class TaskInput:
    """What the builder must know of a task.

    Args:
        name: unique among the network's tasks.
        classes: the first so many outputs are the task's; the others are cut off.
        channels: of the task's own images.
        adapter: how these become the network's channels.
        offsets: subtracted from each of the network's channels.
    """

    name: str
    classes: int
    channels: int
    adapter: Adapter
    offsets: Sequence[int]


class SharedNetwork:
    """One set of latent kernels and one Keras model per task.

    Args:
        topology: the layers.
        tasks: what differs by task.
        scheme: one of ``rbnn.nets.schemes.SCHEMES``.
        seed: of the kernels' first values.
        cipher: of the key stream.
        halved: train the binary convolutions with bfloat16.
        shared_batch: normalise, while training, over the samples of all replicas.
        trunk_layers: so many first layers of the topology have one key for all tasks.

    Attributes:
        shared: the reconfigurable layers by layer number.
        own: by task name, the layers that the task does not share.
        models: by task name; uint8 (batch, height, width, task's channels) to float32 logits
            (batch, task's classes). They compute NaN until :meth:`set_secrets`, but under scheme
            ``none``.
    """

    def __init__(
        self,
        topology: Topology,
        tasks: Sequence[TaskInput],
        scheme: str = "xor",
        seed: int = 0,
        cipher: Cipher = Cipher.CHACHA20,
        halved: bool = False,
        shared_batch: bool = False,
        trunk_layers: int = 0,
    ) -> None:
        self.topology = topology
        self.trunk_layers = trunk_layers
        self.scheme = scheme
        self.cipher = cipher
        self.halved = halved
        self.shared_batch = shared_batch
        self.tasks = tuple(tasks)
        names = [task.name for task in tasks]
        self.shared: dict[int, SharedLayer] = {
            number: shared_layer(topology, number, names, scheme, seed, halved)
            for number, layer in enumerate(topology.layers)
            if layer.bits
        }
        self.own: dict[str, TaskLayers] = {
            name: task_layers(topology, name, shared_batch, seed) for name in names
        }
        self.models: dict[str, tf.keras.Model] = {
            task.name: TaskModel(self, task).build() for task in tasks
        }

    def set_secrets(
        self, secrets: Mapping[str, bytes], model_id: bytes, tasks: Iterable[str] | None = None
    ) -> None:
        """Key every layer for the tasks named, in place of the keys they had.

        Args:
            secrets: 32 bytes by task name. The trunk's key follows from all of them, so that of
                the network's trunk takes the secrets of all its tasks.
            model_id: 16 bytes.
            tasks: those to key; None for all that ``secrets`` names.

        Raises:
            ValueError: the network's scheme is ``none``.
        """
        padded = pad(self.topology)
        trunk = trunk_key(secrets.values(), model_id)
        for task in secrets if tasks is None else tasks:
            keys = StreamKeys(stream_key(secrets[task], model_id), trunk, self.trunk_layers)
            for number, shared in self.shared.items():
                key = keys.of(number)
                inputs, outputs = shared.latent_kernel.shape[-2:]
                match self.scheme:
                    case "xor":
                        self._set_mask(padded, task, number, key)
                    case "sign":
                        signs = pair_signs(key, number, inputs, outputs, self.cipher)
                        shared.set_key(task, signs)
                    case "permute":
                        orders = channel_orders(key, number, inputs, outputs, self.cipher)
                        shared.set_key(task, orders)
                    case _:
                        raise ValueError(f"Scheme {self.scheme} takes no secrets.")

    def weigh(self, task: str, number: int, values: Any) -> Any:
        """What layer ``number`` makes of ``values`` with the weights of ``task``."""
        if number in self.shared:
            return self.shared[number](values, task=task)
        return self.own[task].kernels[number](values)

    def turn_first_values(self, secrets: Iterable[bytes], model_id: bytes) -> None:
        """Negate the latent values where :func:`first_signs` says so, once, before training begins.

        Args:
            secrets: of every task, 32 bytes each.
            model_id: 16 bytes.
        """
        keys = [stream_key(secret, model_id) for secret in secrets]
        for number, shared in self.shared.items():
            latent = shared.latent_kernel
            turned = first_signs(keys, number, tuple(latent.shape), self.cipher)
            latent.assign(tf.where(turned, -latent, latent))

    def _set_mask(self, padded: PaddedNetwork, task: str, number: int, key: bytes) -> None:
        """Key one layer under scheme ``xor``."""
        layer = padded.topology.layers[number]
        mask = kernel_mask(key, number, layer.kernel_shape, layer.packing, self.cipher)
        self.shared[number].set_key(task, padded.extract(number, mask))
        norm = self.own[task].norms[number]
        if isinstance(norm, StreamNorm):
            # Padding is stored as zero bits: its weights are the key stream.
            norm.set_padding_sums(padded.padding_sums(number, mask))


class TaskModel:
    """Builds one task's model: walks over the layers and keeps what later ones read.

    Args:
        network: whose layers the model is made of.
        task: which one.
    """

    def __init__(self, network: SharedNetwork, task: TaskInput) -> None:
        self._network = network
        self._task = task
        self._own = network.own[task.name]
        self._signed: dict[int, Any] = {}  # what a layer's bits are the signs of
        self._streams: dict[int, Any] = {}
        self._waiting: dict[int, Any] = {}  # sums whose batch norm comes after a pool

    def build(self) -> tf.keras.Model:
        """The task's model."""
        topology, task = self._network.topology, self._task
        height, width, channels = topology.input_shape
        image = tf.keras.Input((height, width, task.channels), dtype=tf.uint8, name=task.name)
        adapter = InputAdapter(channels, task.adapter, task.offsets, name=f"{task.name}_input")
        self._signed[-1] = adapter(image)
        x = None
        for number, layer in enumerate(topology.layers):
            match layer.op.writes:
                case Writes.BITS:
                    self._signed[number] = self._pass_on(number, layer)
                case Writes.STREAM:
                    self._streams[number] = self._pass_on(number, layer)
                case Writes.STAGED:
                    x = self._weigh(number, self._read(layer))
                    if layer.pool > 1:
                        x = tf.keras.layers.MaxPool2D(layer.pool)(x)
                    self._finish(number, layer, x)
                case Writes.LOGITS:
                    x = tf.keras.layers.Flatten()(self._read(layer))
                    x = self._own.norms[number](self._weigh(number, x))
        logits = TaskLogits(task.classes, name=f"{task.name}_logits")(x)
        return tf.keras.Model(image, logits, name=task.name)

    def _weigh(self, number: int, values: Any) -> Any:
        """What a layer with weights makes of what it reads."""
        return self._network.weigh(self._task.name, number, values)

    def _read(self, layer: Layer) -> Any:
        """What a layer reads."""
        return (self._streams if layer.reads_stream else self._signed)[layer.source]

    def _pass_on(self, number: int, layer: Layer) -> Any:
        """What a layer without weights makes; where a batch norm waits, it comes after it."""
        own = KERAS[layer.op].own
        assert own is not None
        apply = own(layer, self._name(layer.op.name, number))
        if layer.source in self._waiting:
            return self._own.norms[layer.source](apply(self._waiting[layer.source]))
        return apply(self._read(layer))

    def _finish(self, number: int, layer: Layer, sums: Any) -> None:
        """Apply the stage of a stem or a convolution."""
        if layer.stage is Stage.THRESHOLD:
            readers = [one.op for one in self._network.topology.layers if one.source == number]
            if len(readers) == 1 and KERAS[readers[0]].is_increasing:
                self._waiting[number] = sums
            else:
                self._signed[number] = self._own.norms[number](sums)
            return
        normed = self._own.norms[number](sums)
        terms = normed if layer.shortcut is None else [normed, self._streams[layer.shortcut]]
        stream = StreamSum(name=self._name("stream", number))(terms)
        if layer.activation is Activation.RPRELU:
            stream = self._own.activations[number](stream)
        self._streams[number] = stream
        if Output.BITS in layer.output:
            signed = self._own.signs[number](stream) if number in self._own.signs else stream
            self._signed[number] = signed

    def _name(self, what: str, number: int) -> str:
        return f"{self._task.name}_{what}_{number}"
