"""Byte layouts: model container, sealed block, licence, provisioning partition.

All records are little-endian. Offsets in the container count from its first byte unless a member
says otherwise. SPEC.md explains each of them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.partition import SIGNED_MODEL_HEADER
from rbnn.spec.puf import HELPER_BYTES, TAG_BYTES
from rbnn.spec.statement import STATEMENT
from rbnn.spec.store import STORE_HEADER, STORE_RECORD
from rbnn.spec.structs import Field, Record

CONTAINER_MAGIC = b"RBNN"
LICENCE_MAGIC = b"RBLC"
HELPER_MAGIC = b"RBPH"
PROVISIONING_MAGIC = b"RBPV"
REVOCATION_MAGIC = b"RBRV"
CONTAINER_VERSION = 3
LICENCE_VERSION = 1
PROVISIONING_VERSION = 2

NAME_BYTES = 16
"""Task and architecture names: UTF-8, padded with zero bytes; 15 bytes of text at most."""
MAX_TASKS = 16
MAX_LAYERS = 64
MAX_CLASSES = 64
MAX_LICENCES = 32
MAX_INPUT_CHANNELS = 4
MAX_KERNEL = 7
"""Largest window side of a stem, a convolution or a max pool."""
MAX_AVERAGE_WINDOW = 16
"""Largest window side of an average pool."""
MAX_ARENA_BYTES = 1 << 24
"""Most activation memory; all sizes derived from a layer whose values fit in it fit 32 bits."""
STREAM_FRACTION_BITS = 8
"""The integer residual stream is int16, Q8.8."""
SLOPE_FRACTION_BITS = 14
"""Slopes of RPReLU are int16, Q2.14."""
MAX_SHIFT = 16
"""Largest shift after a residual stage's scales."""
ALIGNMENT = 16
"""Layers' bits and sealed blocks start at multiples of this in the container."""


class Stage(IntEnum):
    """What is done with a stem's or a convolution's sums, channel by channel."""

    NONE = 0
    """The layer has no sums."""
    THRESHOLD = 1
    """bit = (sum >= threshold)."""
    RESIDUAL = 2
    """t = sat16(bias + floor(scale * sum / 2^shift)); r = sat16(shortcut + t), or t without one;
    the activation; then r is the stream and bit = (r >= 0), or (r >= threshold)."""


class Activation(IntEnum):
    """What a residual stage applies to the stream."""

    NONE = 0
    RPRELU = 1
    """d = sat16(r - point); r = sat16(offset + (d if d >= 0 else floor(slope * d / 2^14))).
    Liu et al., "ReActNet", ECCV 2020, equation 5."""


class Sign(IntEnum):
    """How a residual stage's bits are taken from its stream."""

    ZERO = 0
    THRESHOLDS = 1
    """One threshold per channel (RSign of ReActNet, equation 4)."""


class Output(IntFlag):
    """What a layer writes to the arena; logits count as neither."""

    NONE = 0
    BITS = 1
    """Packed bits, channels / 32 words per position."""
    STREAM = 2
    """int16, one per position and channel, in the order row, column, channel."""


class Packing(IntEnum):
    """How a layer's bits lie in the container; ``rbnn.spec.packing``."""

    NONE = 0
    """The layer has no bits."""
    ROWS = 1
    """One row of words per filter."""
    TILES = 2
    """16 filters a tile; 64 bytes for each tap and 32 input channels."""
    PAIRS = 3
    """16 filters a tile; 64 bytes for each 32 inputs, linearly mixed for carry-save counting."""


class Cipher(IntEnum):
    """Which stream reconfigures the bits."""

    CHACHA20 = 0
    CHACHA12 = 1
    CHACHA8 = 2


class Scheme(IntEnum):
    """How the key stream acts on the bits."""

    XOR = 0


class Adapter(IntEnum):
    """How a task's input becomes the network's input."""

    IDENTITY = 0
    """As many input channels as the network has."""
    REPLICATE = 1
    """One channel, repeated for each channel of the network."""


class FrontEnd(IntEnum):
    """What makes a task's input on the device. One that a device does not have is no error: it
    takes the input ready made."""

    NONE = 0
    LOG_MEL = 1
    """``rbnn.spec.audio``: pictures of a second of sound."""


class LicenceFlag(IntFlag):
    """What a licence demands; a device refuses flags that it does not know."""

    NONE = 0
    RELEASE_ONLY = 1
    """A development build does not open it."""


CONTAINER_HEADER = Record(
    "container_header",
    "First bytes of a model container.",
    (
        Field("magic", "u8", '"RBNN"', 4),
        Field("version", "u16", "CONTAINER_VERSION"),
        Field("header_bytes", "u16", "size of this record"),
        Field("total_bytes", "u32", "size of the whole container"),
        Field("crc32", "u32", "CRC-32 of the whole container with this member set to zero"),
        Field("model_id", "u8", "random, drawn when training starts", 16),
        Field("provider_public", "u8", "X25519 public key of the licence provider", 32),
        Field("architecture", "u8", "name, zero-padded UTF-8", NAME_BYTES),
        Field("input_height", "u16", "pixels"),
        Field("input_width", "u16", "pixels"),
        Field("input_channels", "u16", "channels of the network's input"),
        Field("layer_count", "u16", "records in the layer table"),
        Field("task_count", "u16", "records in the task table"),
        Field("max_classes", "u16", "outputs of the last layer"),
        Field("cipher", "u8", "enum Cipher"),
        Field("scheme", "u8", "enum Scheme"),
        Field("trunk_layers", "u16", "leading records of the layer table that form the trunk"),
        Field("arena_bytes", "u32", "activation memory that the layer table addresses"),
        Field("work_bytes", "u32", "smallest working memory with which every kernel runs"),
        Field("params_bytes", "u32", "size of the largest plaintext of a sealed block"),
        Field("layers_offset", "u32", "layer table"),
        Field("tasks_offset", "u32", "task table"),
        Field("weights_offset", "u32", "the shared bits P, aligned"),
        Field("weights_bytes", "u32", "size of P with its alignment padding"),
    ),
)

LAYER = Record(
    "layer",
    "One layer of the layer table. Layers run in table order.",
    (
        Field("op", "u8", "enum Operator"),
        Field("packing", "u8", "enum Packing"),
        Field("kernel", "u8", "height and width of the window; 0 for a dense layer"),
        Field("stride", "u8", "in both directions; 1 for a dense layer"),
        Field("pad", "u8", "pixels added on each side; 0 for a pool or a dense layer"),
        Field("pool", "u8", "side of the max pool after a stem's sums; 1 without one"),
        Field("stage", "u8", "enum Stage"),
        Field("activation", "u8", "enum Activation"),
        Field("sign", "u8", "enum Sign"),
        Field("output", "u8", "flags Output"),
        Field("in_height", "u16", "pixels"),
        Field("in_width", "u16", "pixels"),
        Field("in_channels", "u16", "a multiple of 32, except for a stem"),
        Field("out_height", "u16", "pixels, after the fused pool"),
        Field("out_width", "u16", "pixels, after the fused pool"),
        Field("out_channels", "u16", "filters; a multiple of 32, except for a dense layer"),
        Field("shortcut_channels", "u16", "0 for none; channel c adds shortcut channel c mod this"),
        Field("in_offset", "u32", "place of the input in the activation arena"),
        Field("out_offset", "u32", "place of bits or logits in the arena; 0 without either"),
        Field("stream_offset", "u32", "place of the stream in the arena; 0 without a stream"),
        Field("shortcut_offset", "u32", "place of the shortcut's stream; 0 without a shortcut"),
        Field("weights_offset", "u32", "start of this layer's bits, counted from the start of P"),
        Field("weights_bytes", "u32", "size of this layer's bits"),
        Field("params_offset", "u32", "its parameters, counted from the start of the plaintext"),
    ),
)

TASK = Record(
    "task",
    "One task of the task table. Its position is the task's number.",
    (
        Field("name", "u8", "zero-padded UTF-8", NAME_BYTES),
        Field("classes", "u16", "number of classes"),
        Field("front_end", "u8", "enum FrontEnd; 0 in containers of before there was one"),
        Field("benchmark", "u8", "enum Benchmark; 0 in containers of before there was one"),
        Field("sealed_offset", "u32", "sealed block, aligned"),
        Field("sealed_bytes", "u32", "nonce, ciphertext and tag together"),
    ),
)

SEALED_NONCE_BYTES = 12
SEALED_TAG_BYTES = 16
SEALED_AAD_BYTES = 18
"""Associated data of a sealed block: model id (16), task number (u16)."""

PARAMS_HEADER = Record(
    "params_header",
    "First bytes of a sealed block's plaintext; thresholds, scales and labels follow.",
    (
        Field("classes", "u16", "number of classes; equals the task table's"),
        Field("adapter", "u8", "enum Adapter"),
        Field("input_channels", "u8", "channels of the task's own input"),
        Field(
            "offsets",
            "i16",
            "0..255, subtracted from each channel of the network's input",
            MAX_INPUT_CHANNELS,
        ),
        Field("labels_offset", "u32", "class names, each followed by a zero byte, in class order"),
        Field("labels_bytes", "u32", "size of all names with their zero bytes"),
        Field("trunk_key", "u8", "key of the trunk's streams; zero without a trunk", KEY_BYTES),
    ),
)
"""Groups of a layer, each at a multiple of 4, i16 unless noted. Stage THRESHOLD: out_channels
thresholds. Stage RESIDUAL: u16 shift (0..16), u16 zero, then out_channels each of scales, biases;
with RPRELU points, slopes (Q2.14), offsets; with sign THRESHOLDS thresholds. Dense layers:
out_channels scales (i32, Q12.20), then as many biases (i32, Q12.20); entries from ``classes`` on
are zero. Layers with 8-bit weights: after all this their weights (i8), see
``rbnn.spec.own_weights``."""

LOGIT_FRACTION_BITS = 20

LICENCE_PROLOGUE = Record(
    "licence_prologue",
    "Plaintext part of a licence; with the device's own model digest in it, the Noise prologue.",
    (
        Field("magic", "u8", '"RBLC"', 4),
        Field("version", "u16", "LICENCE_VERSION"),
        Field("flags", "u16", "flags LicenceFlag"),
        Field("licence_id", "u8", "random, drawn for each licence", 16),
        Field("model_id", "u8", "as in the container", 16),
        Field("model_digest", "u8", "BLAKE2b-256 of the whole container", 32),
        Field("task", "u16", "task number"),
        Field("activation_limit", "u16", "activations of this licence; 0 is no limit"),
        Field("sequence", "u32", "number of this licence on this device, from 1"),
        Field("inference_limit", "u32", "inferences of this licence; 0 is no limit"),
    ),
)
"""A revocation notice has the same form, with ``REVOCATION_MAGIC``, no model digest and no limits;
its ``sequence`` is the first one that the device still accepts for the task."""

LICENCE_MESSAGE_BYTES = 32 + 32 + 16
"""Noise message: ephemeral public key, encrypted task secret, tag."""
LICENCE_BYTES = LICENCE_PROLOGUE.size + LICENCE_MESSAGE_BYTES
NOISE_PROTOCOL = "Noise_Kpsk0_25519_ChaChaPoly_BLAKE2b"

HELPER_HEADER = Record(
    "helper_header",
    "First bytes of the helper record; covered by its tag.",
    (
        Field("magic", "u8", '"RBPH"', 4),
        Field("version", "u16", "PROVISIONING_VERSION"),
        Field("helper_bytes", "u16", "HELPER_BYTES"),
    ),
)
HELPER_RECORD_BYTES = HELPER_HEADER.size + HELPER_BYTES + TAG_BYTES
"""Helper header, helper data, tag; 3,117 bytes."""
HELPER_RECORD_PADDED_BYTES = -(-HELPER_RECORD_BYTES // 4) * 4

PROVISIONING_HEADER = Record(
    "provisioning_header",
    "First bytes of the provisioning partition; the helper record, zero-padded to a multiple of "
    "4, and the licences follow.",
    (
        Field("magic", "u8", '"RBPV"', 4),
        Field("version", "u16", "PROVISIONING_VERSION"),
        Field("licence_count", "u16", "licences after the helper record"),
        Field("total_bytes", "u32", "header, helper record and licences"),
        Field("crc32", "u32", "CRC-32 of total_bytes bytes with this member set to zero"),
    ),
)

RECORDS = (
    CONTAINER_HEADER,
    LAYER,
    TASK,
    PARAMS_HEADER,
    LICENCE_PROLOGUE,
    HELPER_HEADER,
    PROVISIONING_HEADER,
    STORE_HEADER,
    STORE_RECORD,
    STATEMENT,
    SIGNED_MODEL_HEADER,
)
