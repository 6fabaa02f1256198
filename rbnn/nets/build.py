"""Keras models of a topology: one per task, sharing every kernel, with batch norms, activations and
thresholds of each task's own.

Layer by layer: input (bits or stream) -> kernel -> (max pool) -> stage. A stage of thresholds is a
batch norm; one of a residual stream is a batch norm with gamma, the shortcut's sum, the activation.
Bits are held as the values whose sign they are: the sign stands as the input quantizer of the layer
that reads them, as Larq has it. In front of a threshold a batch norm has no gamma, so that sign and
maximum commute, and it waits behind a max pool that alone reads its layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rbnn.nets.framework import tf
from rbnn.nets.layers import (
    InputAdapter,
    ReconfigurableConv2D,
    ReconfigurableDense,
    TaskLogits,
)
from rbnn.nets.padding import PaddedNetwork, pad
from rbnn.nets.schemes import channel_orders, first_signs, pair_signs
from rbnn.nets.stream_layers import StreamAverage, StreamNorm, StreamRPReLU, StreamRSign, StreamSum
from rbnn.nets.task_norm import TaskNorm
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import Activation, Adapter, Cipher, Operator, Output, Sign, Stage
from rbnn.spec.stream import StreamKeys, kernel_mask, stream_key, trunk_key

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.9

SharedLayer = ReconfigurableConv2D | ReconfigurableDense


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


@dataclass(frozen=True)
class TaskLayers:
    """What one task has of its own, by number of the layer whose stage it belongs to.

    Args:
        norms: batch norms, one for each layer that has bits.
        activations: of the residual stages that have RPReLU.
        signs: of the residual stages that have thresholds.
    """

    norms: dict[int, TaskNorm] = field(default_factory=dict)
    activations: dict[int, StreamRPReLU] = field(default_factory=dict)
    signs: dict[int, StreamRSign] = field(default_factory=dict)

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """All that training moves, in a fixed order."""
        return [
            variable
            for layers in (self.norms, self.activations, self.signs)
            for layer in layers.values()
            for variable in layer.trainable_variables
        ]


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
        names = [task.name for task in tasks]
        self.shared: dict[int, SharedLayer] = {
            number: _shared_layer(topology, number, names, scheme, seed, halved)
            for number, layer in enumerate(topology.layers)
            if layer.bits
        }
        self.own: dict[str, TaskLayers] = {
            name: _task_layers(topology, name, shared_batch) for name in names
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
        self._waiting: dict[int, Any] = {}  # sums whose batch norm comes behind a max pool

    def build(self) -> tf.keras.Model:
        """The task's model."""
        topology, task = self._network.topology, self._task
        height, width, channels = topology.input_shape
        image = tf.keras.Input((height, width, task.channels), dtype=tf.uint8, name=task.name)
        adapter = InputAdapter(channels, task.adapter, task.offsets, name=f"{task.name}_input")
        self._signed[-1] = adapter(image)
        x = None
        for number, layer in enumerate(topology.layers):
            match layer.op:
                case Operator.MAX_POOL:
                    self._max_pool(number, layer)
                case Operator.AVERAGE_POOL:
                    average = StreamAverage(layer.kernel, name=self._name("average", number))
                    self._streams[number] = average(self._streams[layer.source])
                case Operator.STEM | Operator.CONV:
                    x = self._network.shared[number](self._signed[layer.source], task=task.name)
                    if layer.pool > 1:
                        x = tf.keras.layers.MaxPool2D(layer.pool)(x)
                    self._finish(number, layer, x)
                case Operator.DENSE | Operator.DENSE_STREAM:
                    read = self._streams if layer.reads_stream else self._signed
                    x = tf.keras.layers.Flatten()(read[layer.source])
                    x = self._own.norms[number](self._network.shared[number](x, task=task.name))
        logits = TaskLogits(task.classes, name=f"{task.name}_logits")(x)
        return tf.keras.Model(image, logits, name=task.name)

    def _max_pool(self, number: int, layer: Layer) -> None:
        pool = tf.keras.layers.MaxPool2D(layer.kernel, layer.stride)
        if layer.source in self._waiting:
            norm = self._own.norms[layer.source]
            self._signed[number] = norm(pool(self._waiting[layer.source]))
        else:
            self._signed[number] = pool(self._signed[layer.source])

    def _finish(self, number: int, layer: Layer, sums: Any) -> None:
        """Apply the stage of a stem or a convolution."""
        if layer.stage is Stage.THRESHOLD:
            readers = [one.op for one in self._network.topology.layers if one.source == number]
            if readers == [Operator.MAX_POOL]:
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


def _shared_layer(
    topology: Topology, number: int, tasks: Sequence[str], scheme: str, seed: int, halved: bool
) -> SharedLayer:
    """The Larq layer of one row of the layer table, built."""
    layer = topology.layers[number]
    options = {
        "tasks": tasks,
        "scheme": scheme,
        "input_quantizer": _input_quantizer(topology, layer),
        "kernel_initializer": tf.keras.initializers.GlorotNormal(seed=seed * 1000 + number),
        "name": f"layer_{number}",
    }
    if not layer.kernel:
        dense = ReconfigurableDense(layer.out_shape[2], **options)
        dense.build((None, layer.kernel_shape[0]))
        return dense
    convolution = ReconfigurableConv2D(
        layer.out_shape[2],
        layer.kernel,
        strides=layer.stride,
        border=layer.pad,
        border_value=0.0 if layer.op is Operator.STEM else 1.0,
        # A stem's pixels have 8 bits and a sign: one more than bfloat16 holds.
        halved=halved and layer.op is Operator.CONV,
        **options,
    )
    convolution.build((None, *layer.in_shape))
    return convolution


def _input_quantizer(topology: Topology, layer: Layer) -> str | None:
    """How a layer takes its input's signs; the estimators differ in their gradient alone.

    Source: Liu et al., "Bi-Real Net", ECCV 2018, section 3.3 (approx_sign, for residual streams).
    """
    if layer.op is Operator.STEM or layer.reads_stream:
        return None
    source = topology.layers[layer.source]
    return "approx_sign" if source.stage is Stage.RESIDUAL else "ste_sign"


def _norm(layer: Layer, name: str, shared_batch: bool) -> TaskNorm:
    """The batch norm of a layer's stage or logits."""
    options: dict[str, Any] = {
        "momentum": BATCH_NORM_MOMENTUM,
        "epsilon": BATCH_NORM_EPSILON,
        "shared_batch": shared_batch,
        "name": name,
    }
    if layer.stage is Stage.RESIDUAL:
        return StreamNorm(unit=2 if layer.op is Operator.CONV else 1, **options)
    return TaskNorm(scale=layer.stage is Stage.NONE, **options)


def _task_layers(topology: Topology, task: str, shared_batch: bool) -> TaskLayers:
    """The layers of one task's own, built."""
    own = TaskLayers()
    for number, layer in enumerate(topology.layers):
        if not layer.bits:
            continue
        channels = layer.out_shape[2]
        shape = (None, None, None, channels) if layer.kernel else (None, channels)
        own.norms[number] = _norm(layer, f"{task}_norm_{number}", shared_batch)
        own.norms[number].build(shape)
        if layer.activation is Activation.RPRELU:
            own.activations[number] = StreamRPReLU(name=f"{task}_rprelu_{number}")
            own.activations[number].build(shape)
        if layer.sign is Sign.THRESHOLDS:
            own.signs[number] = StreamRSign(name=f"{task}_rsign_{number}")
            own.signs[number].build(shape)
    return own
