"""Signed models: what the model partition of a device holds (SPEC.md, Model partition)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rbnn.container.container import SEALED_OVERHEAD, Container
from rbnn.container.parse import parse as parse_container
from rbnn.keys.attestation import eddsa
from rbnn.keys.errors import SignedModelError
from rbnn.keys.provider_key import ProviderKey
from rbnn.spec import kdf
from rbnn.spec.partition import (
    MODEL_HEADER_VERSION,
    MODEL_MAGIC,
    MODEL_SIGNED_BYTES,
    SIGNED_MODEL_HEADER,
)
from rbnn.spec.statement import SIGNATURE_BYTES

MOST_VERSION = 0xFFFFFFFF
_AGAIN = "Write it again: rbnn export RUN"


@dataclass(frozen=True)
class SignedModel:
    """A container and what the provider signed of it.

    Args:
        data: header and container.
        container: the model.
        version: seconds from 1970 to when it was signed.
    """

    data: bytes
    container: Container
    version: int

    @property
    def header(self) -> bytes:
        """Its first bytes, with the signature."""
        return self.data[: SIGNED_MODEL_HEADER.size]


@dataclass(frozen=True)
class Needs:
    """What a device must have for a model."""

    arena: int
    work: int
    params: int
    tasks: int

    def missing(self, other: Needs) -> list[str]:
        """Where another model needs more than this, in words."""
        named = {
            "activations": (self.arena, other.arena),
            "working memory": (self.work, other.work),
            "parameters": (self.params, other.params),
            "tasks": (self.tasks, other.tasks),
        }
        return [
            f"{name} {needed:,} of {has:,}" for name, (has, needed) in named.items() if needed > has
        ]


def needs(container: Container) -> Needs:
    """What a container needs of a device."""
    plan = container.plan
    params = max(len(task.sealed) for task in container.tasks) - SEALED_OVERHEAD
    return Needs(plan.arena_bytes, plan.work_bytes, params, len(container.tasks))


def _seed(provider: ProviderKey) -> bytes:
    return kdf.derive(provider.private.private_bytes_raw(), kdf.Label.MODEL_SIGN)


def verifying_key(provider: ProviderKey) -> bytes:
    """The public key, 32 bytes, that firmware checks a provider's models with.

    Raises:
        RbnnError: Monocypher cannot be fetched or built.
    """
    return eddsa.public_key(_seed(provider))


def sign(container: Container, provider: ProviderKey, version: int | None = None) -> SignedModel:
    """Sign a model.

    Args:
        container: the model.
        provider: whose licences its tasks open with.
        version: from 1; None for the time.

    Raises:
        SignedModelError: another provider's public key is in the container.
        RbnnError: Monocypher cannot be fetched or built.
    """
    if container.provider_public != provider.public:
        raise SignedModelError(
            "The model names another provider than the one whose key should sign it.",
            "Export it for this provider: rbnn export RUN --provider-key PATH",
        )
    number = int(time.time()) if version is None else version
    needed = needs(container)
    values: dict[str, int | bytes] = {
        "magic": MODEL_MAGIC,
        "version": MODEL_HEADER_VERSION,
        "header_bytes": SIGNED_MODEL_HEADER.size,
        "model_version": number,
        "container_bytes": len(container.data),
        "model_id": container.model_id,
        "model_digest": container.digest,
        "arena_bytes": needed.arena,
        "work_bytes": needed.work,
        "params_bytes": needed.params,
        "task_count": needed.tasks,
        "reserved": 0,
        "signature": bytes(SIGNATURE_BYTES),
        "padding": bytes(16),
    }
    text = SIGNED_MODEL_HEADER.pack(values)[:MODEL_SIGNED_BYTES]
    header = SIGNED_MODEL_HEADER.pack({**values, "signature": eddsa.sign(text, _seed(provider))})
    return SignedModel(header + container.data, container, number)


def parse(data: bytes) -> SignedModel:
    """Read a signed model; its signature is not checked.

    Args:
        data: header and container, and perhaps erased flash after them.

    Raises:
        SignedModelError: it is no signed model, or a damaged one.
        RbnnError: the container is damaged.
    """
    if len(data) < SIGNED_MODEL_HEADER.size or not data.startswith(MODEL_MAGIC):
        raise SignedModelError("This is no signed model.", "Make one: rbnn export RUN")
    values: dict[str, Any] = SIGNED_MODEL_HEADER.unpack(data)
    if (values["version"], values["header_bytes"]) != (
        MODEL_HEADER_VERSION,
        SIGNED_MODEL_HEADER.size,
    ):
        raise SignedModelError(
            f"The signed model has version {values['version']}, not {MODEL_HEADER_VERSION}.", _AGAIN
        )
    end = SIGNED_MODEL_HEADER.size + values["container_bytes"]
    if end > len(data) or data[end:].strip(b"\xff"):
        raise SignedModelError(
            f"The signed model has {len(data):,} bytes instead of {end:,}: it is cut short, or "
            "something follows it.",
            _AGAIN,
        )
    container = parse_container(data[SIGNED_MODEL_HEADER.size : end])
    needed = needs(container)
    said = (values["arena_bytes"], values["work_bytes"], values["params_bytes"])
    if (
        container.digest != values["model_digest"]
        or container.model_id != values["model_id"]
        or (*said, values["task_count"]) != (needed.arena, needed.work, needed.params, needed.tasks)
    ):
        raise SignedModelError(
            "Header and container of the signed model do not belong together.", _AGAIN
        )
    return SignedModel(bytes(data[:end]), container, values["model_version"])


def is_signed_by(model: SignedModel, key: bytes) -> bool:
    """Whether a model has the signature of the provider with this verifying key.

    Raises:
        RbnnError: Monocypher cannot be fetched or built.
    """
    start = MODEL_SIGNED_BYTES
    signature = model.header[start : start + SIGNATURE_BYTES]
    return eddsa.is_signed(model.header[:start], signature, key)
