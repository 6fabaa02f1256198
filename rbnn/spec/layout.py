"""Byte layouts: model container, sealed block, licence, provisioning partition.

All records are little-endian. Offsets in the container count from its first byte unless a member
says otherwise. SPEC.md explains each of them.
"""

from __future__ import annotations

from enum import IntEnum

from rbnn.spec.puf import HELPER_BYTES, TAG_BYTES
from rbnn.spec.structs import Field, Record

CONTAINER_MAGIC = b"RBNN"
LICENCE_MAGIC = b"RBLC"
HELPER_MAGIC = b"RBPH"
PROVISIONING_MAGIC = b"RBPV"
CONTAINER_VERSION = 1
LICENCE_VERSION = 1
PROVISIONING_VERSION = 1

NAME_BYTES = 16
"""Task and architecture names: UTF-8, padded with zero bytes; 15 bytes of text at most."""
MAX_TASKS = 16
MAX_LAYERS = 64
MAX_CLASSES = 64
MAX_LICENCES = 32
MAX_INPUT_CHANNELS = 4
MAX_KERNEL = 7
"""Largest window side of a stem, a convolution or a pool."""
MAX_WINDOW_WORDS = 256
"""Longest row of a convolution's filter: what a kernel gathers on its stack."""
ALIGNMENT = 16
"""Layers' bits and sealed blocks start at multiples of this in the container."""


class Operator(IntEnum):
    """What a layer computes."""

    STEM = 1
    """Convolution of 8-bit input with binary weights, fused threshold: bits out."""
    CONV = 2
    """Convolution of bits with binary weights, one-padded, fused threshold: bits out."""
    MAX_POOL = 3
    """Maximum (logical or) of bits over a window, no padding: bits out."""
    DENSE = 4
    """Inner products of all input bits with binary weights, then the scale and bias of each
    class: Q12.20 logits out."""


class Packing(IntEnum):
    """How a layer's bits lie in the container."""

    NONE = 0
    """The layer has no bits."""
    ROWS = 1
    """``rbnn.spec.packing``: one row of words per filter."""


class Cipher(IntEnum):
    """Which stream reconfigures the bits."""

    CHACHA20 = 0


class Scheme(IntEnum):
    """How the key stream acts on the bits."""

    XOR = 0


class Adapter(IntEnum):
    """How a task's input becomes the network's input."""

    IDENTITY = 0
    """As many input channels as the network has."""
    REPLICATE = 1
    """One channel, repeated for each channel of the network."""


CONTAINER_HEADER = Record(
    "container_header",
    "First bytes of a model container.",
    (
        Field("magic", "u8", '"RBNN"', 4),
        Field("version", "u16", "CONTAINER_VERSION"),
        Field("header_bytes", "u16", "size of this record"),
        Field("total_bytes", "u32", "size of the whole container"),
        Field("crc32", "u32", "CRC-32 of the whole container with this member as zero"),
        Field("model_id", "u8", "drawn when training starts", 16),
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
        Field("reserved", "u16", "zero"),
        Field("arena_bytes", "u32", "activation memory that the layer table addresses"),
        Field("tile_bytes", "u32", "largest tile of reconfigured bits"),
        Field("params_bytes", "u32", "largest plaintext of a sealed block"),
        Field("layers_offset", "u32", "layer table"),
        Field("tasks_offset", "u32", "task table"),
        Field("weights_offset", "u32", "the shared bits P, aligned"),
        Field("weights_bytes", "u32", "size of P with its alignment padding"),
    ),
)

LAYER = Record(
    "layer",
    "One layer of the graph table. Layers run in table order.",
    (
        Field("op", "u8", "enum Operator"),
        Field("packing", "u8", "enum Packing"),
        Field("kernel", "u8", "height and width of the window"),
        Field("stride", "u8", "in both directions"),
        Field("pad", "u8", "pixels added on each side"),
        Field("reserved", "u8", "zero", 3),
        Field("in_height", "u16", "pixels"),
        Field("in_width", "u16", "pixels"),
        Field("in_channels", "u16", "a multiple of 32 but for a stem"),
        Field("out_height", "u16", "pixels"),
        Field("out_width", "u16", "pixels"),
        Field("out_channels", "u16", "filters; a multiple of 32 but for the dense layer"),
        Field("in_offset", "u32", "input's place in the activation arena"),
        Field("out_offset", "u32", "output's place in the activation arena"),
        Field("weights_offset", "u32", "this layer's bits, counted from the start of P"),
        Field("weights_bytes", "u32", "this layer's bits"),
        Field("params_offset", "u32", "thresholds or scales, counted from the plaintext's start"),
        Field("reserved2", "u32", "zero"),
    ),
)

TASK = Record(
    "task",
    "One task of the task table. Its position is the task's number.",
    (
        Field("name", "u8", "zero-padded UTF-8", NAME_BYTES),
        Field("classes", "u16", "number of classes"),
        Field("reserved", "u16", "zero"),
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
        Field("labels_offset", "u32", "class names, each ended by a zero byte, in class order"),
        Field("labels_bytes", "u32", "all names with their zero bytes"),
    ),
)
"""Per stem or convolution: out_channels thresholds (i16), output bit = (sum >= threshold).
Per dense layer: out_channels scales (i32, Q12.20), then out_channels biases (i32, Q12.20); entries
from ``classes`` on are zero. Each group starts at a multiple of 4."""

LOGIT_FRACTION_BITS = 20

LICENCE_PROLOGUE = Record(
    "licence_prologue",
    "Clear part of a licence; the Noise prologue, with the device's own model digest in it.",
    (
        Field("magic", "u8", '"RBLC"', 4),
        Field("version", "u16", "LICENCE_VERSION"),
        Field("flags", "u16", "zero"),
        Field("licence_id", "u8", "drawn per licence", 16),
        Field("model_id", "u8", "as in the container", 16),
        Field("model_digest", "u8", "BLAKE2b-256 of the whole container", 32),
        Field("task", "u16", "task number"),
        Field("reserved", "u16", "zero"),
        Field("sequence", "u32", "counts the licences of this device, from 1"),
        Field("inference_limit", "u32", "inferences per activation; 0 is no limit"),
    ),
)

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
"""Helper header, helper data, tag; 1,349 bytes."""
HELPER_RECORD_PADDED_BYTES = -(-HELPER_RECORD_BYTES // 4) * 4

PROVISIONING_HEADER = Record(
    "provisioning_header",
    "First bytes of the provisioning partition; the helper record, zero-padded to a multiple of "
    "4, and the licences follow.",
    (
        Field("magic", "u8", '"RBPV"', 4),
        Field("version", "u16", "PROVISIONING_VERSION"),
        Field("licence_count", "u16", "licences behind the helper record"),
        Field("total_bytes", "u32", "header, helper record and licences"),
        Field("crc32", "u32", "CRC-32 of total_bytes bytes with this member as zero"),
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
)
