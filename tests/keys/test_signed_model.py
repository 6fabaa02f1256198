"""Signed models: what a provider signs, and which changes the host sees."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import World

from rbnn.errors import RbnnError
from rbnn.keys.errors import SignedModelError
from rbnn.keys.models.signed import (
    Needs,
    SignedModel,
    is_signed_by,
    needs,
    parse,
    sign,
    verifying_key,
)
from rbnn.keys.provider_key import ProviderKey
from rbnn.spec.partition import MODEL_SIGNED_BYTES, SIGNED_MODEL_HEADER

PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


@pytest.fixture(scope="module")
def signed(random_export: Callable[..., Any]) -> SignedModel:
    return sign(random_export(provider_public=PROVIDER.public).export.container, PROVIDER, 7)


def test_a_signed_model_is_read_back_also_from_a_partition(signed: SignedModel) -> None:
    for data in (signed.data, signed.data.ljust(100_000, b"\xff")):
        found = parse(data)
        assert (found.data, found.version) == (signed.data, 7)
        assert found.container.digest == signed.container.digest
    assert is_signed_by(signed, verifying_key(PROVIDER))
    assert not is_signed_by(signed, verifying_key(OTHER))
    assert verifying_key(PROVIDER) not in (PROVIDER.public, verifying_key(OTHER))


def test_every_changed_byte_of_the_header_is_seen(signed: SignedModel) -> None:
    key = verifying_key(PROVIDER)
    seen = 0
    for place in range(SIGNED_MODEL_HEADER.size - 16):  # its padding is the device's affair
        data = bytearray(signed.data)
        data[place] ^= 1 << place % 8
        try:
            seen += not is_signed_by(parse(bytes(data)), key)
        except RbnnError:
            seen += 1
    assert seen == SIGNED_MODEL_HEADER.size - 16 == MODEL_SIGNED_BYTES + 64


@pytest.mark.parametrize("size", [0, 3, 100, 159, 160, 400, -1])
def test_what_is_cut_short_is_refused(signed: SignedModel, size: int) -> None:
    with pytest.raises(SignedModelError):
        parse(signed.data[:size])


def test_what_follows_is_refused(signed: SignedModel) -> None:
    with pytest.raises(SignedModelError, match="something follows it"):
        parse(signed.data + b"\xff\0")


def test_another_provider_s_model_is_not_signed(tmp_path: Path) -> None:
    world = World(Path(), tmp_path)
    with pytest.raises(SignedModelError, match="another provider"):
        sign(world.container(), PROVIDER)
    before = int(time.time())
    assert before <= sign(world.container(), world.provider).version <= time.time()


def test_what_a_device_lacks_is_named(signed: SignedModel) -> None:
    needed = needs(signed.container)
    assert needed.missing(needed) == []
    small = Needs(needed.arena - 4, needed.work, needed.params, needed.tasks - 1)
    assert small.missing(needed) == [
        f"activations {needed.arena:,} of {needed.arena - 4:,}",
        f"tasks {needed.tasks} of {needed.tasks - 1}",
    ]
