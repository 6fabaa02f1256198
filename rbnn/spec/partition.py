"""The model partition: flash of its own for a container that the provider has signed.

The C counterpart is ``firmware/partition``; SPEC.md has the rules.
"""

from __future__ import annotations

from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.statement import SIGNATURE_BYTES
from rbnn.spec.structs import Field, Record

MODEL_MAGIC = b"RBMP"
MODEL_HEADER_VERSION = 1
SIGNED_MODEL_HEADER = Record(
    "signed_model_header",
    "What stands before a container in the model partition. The container follows it.",
    (
        Field("magic", "u8", '"RBMP"', 4),
        Field("version", "u16", "MODEL_HEADER_VERSION"),
        Field("header_bytes", "u16", "size of this record; the container follows it"),
        Field("model_version", "u32", "seconds from 1970 to when it was signed; never falls"),
        Field("container_bytes", "u32", "size of the whole container"),
        Field("model_id", "u8", "as in the container", 16),
        Field("model_digest", "u8", "BLAKE2b-256 of the whole container", KEY_BYTES),
        Field("arena_bytes", "u32", "as in the container"),
        Field("work_bytes", "u32", "as in the container"),
        Field("params_bytes", "u32", "as in the container"),
        Field("task_count", "u16", "as in the container"),
        Field("reserved", "u16", "zero"),
        Field("signature", "u8", "of all bytes before it, by the provider", SIGNATURE_BYTES),
        Field("padding", "u8", "zero", 16),
    ),
)
MODEL_SIGNED_BYTES = SIGNED_MODEL_HEADER.offset("signature")
"""The signature covers as many bytes of the header."""
MODEL_UNIT_BYTES = 32
"""A device programs as many bytes at a time: a whole number of units of any flash."""
MODEL_FLOOR_TASK = 255
"""The store keeps the newest version that a device has had as the floor of this task, of a model
whose id is zero."""
