"""The key stream: published vectors, the library at 20 rounds, keys per task, streams per layer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.spec import chacha, key_stream, packing
from rbnn.spec.layout import Cipher, Packing

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "chacha_vectors.json").read_text())
SECRET = bytes(range(32))
MODEL = b"model of the day"


@pytest.mark.parametrize(
    "vector", VECTORS["vectors"], ids=lambda vector: f"{vector['name']}-{vector['rounds']}"
)
def test_published_vectors(vector: dict[str, str]) -> None:
    expected = bytes.fromhex(vector["stream"])
    nonce = bytes(4) + bytes.fromhex(vector["iv"])
    key, rounds = bytes.fromhex(vector["key"]), int(vector["rounds"])
    assert chacha.key_stream(key, nonce, len(expected), rounds) == expected
    assert chacha.key_stream(key, nonce, 64, rounds, counter=1) == expected[64:]


def test_key_stream_is_rfc_8439() -> None:
    # Appendix A.1, test vector 1.
    assert key_stream.key_stream(bytes(32), 0, 16).hex() == "76b8e0ada0f13d90405d6ae55386bd28"


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1), st.integers(0, 700))
def test_our_cipher_equals_the_library_at_20_rounds(key: bytes, layer: int, length: int) -> None:
    expected = key_stream.key_stream(key, layer, length)
    assert chacha.key_stream(key, key_stream.layer_nonce(layer), length, 20) == expected


def test_block_numbers_do_not_wrap() -> None:
    last = chacha.key_stream(SECRET, bytes(12), 64, 8, counter=2**32 - 1)
    assert len(last) == 64
    for counter, length in ((2**32 - 1, 65), (2**32, 1), (-1, 1)):
        with pytest.raises(ValueError, match="below 2\\^32"):
            chacha.key_stream(SECRET, bytes(12), length, 8, counter=counter)
    with pytest.raises(ValueError, match="Received: 7 rounds"):
        chacha.key_stream(SECRET, bytes(12), 64, 7)
    with pytest.raises(ValueError, match="Received: 31 and 12"):
        chacha.key_stream(bytes(31), bytes(12), 64, 8)


@pytest.mark.parametrize("cipher", Cipher)
@pytest.mark.parametrize("order", [Packing.ROWS, Packing.TILES])
def test_reconfigure_agrees_with_the_kernel_mask(cipher: Cipher, order: Packing) -> None:
    stored = np.random.default_rng(0).random((3, 3, 64, 32)) < 0.5
    packed = packing.pack_kernel(stored, order)
    key = key_stream.stream_key(SECRET, MODEL)
    weights = key_stream.reconfigure(packed, key, 7, cipher)
    mask = key_stream.kernel_mask(key, 7, stored.shape, order, cipher)
    unpacked = packing.unpack_kernel(weights, stored.shape, order)
    np.testing.assert_array_equal(unpacked, stored ^ mask)
    assert key_stream.reconfigure(weights, key, 7, cipher) == packed


def test_a_trunk_has_the_key_that_all_secrets_give() -> None:
    secrets = [SECRET, bytes(32), bytes([7]) * 32]
    trunk = key_stream.trunk_key(secrets, MODEL)
    assert trunk == key_stream.trunk_key(reversed(secrets), MODEL)
    own = key_stream.stream_key(SECRET, MODEL)
    others = [key_stream.trunk_key(secrets[:count], MODEL) for count in range(3)]
    assert len({trunk, own, *others, key_stream.trunk_key(secrets, bytes(16))}) == 6
    keys = key_stream.StreamKeys(own, trunk, 2)
    assert [keys.of(layer) for layer in range(4)] == [trunk, trunk, own, own]
    assert key_stream.StreamKeys(own).of(0) == own
    with pytest.raises(ValueError, match="16 bytes"):
        key_stream.trunk_key(secrets, bytes(15))


def test_streams_differ_by_secret_model_layer_and_cipher() -> None:
    key = key_stream.stream_key(SECRET, MODEL)
    streams = {
        *(key_stream.key_stream(key, layer, 64) for layer in (0, 1, 256, 65536)),
        *(key_stream.key_stream(key, 0, 64, cipher) for cipher in Cipher),
        key_stream.key_stream(key_stream.stream_key(bytes(32), MODEL), 0, 64),
        key_stream.key_stream(key_stream.stream_key(SECRET, bytes(16)), 0, 64),
    }
    assert len(streams) == 4 + 2 + 2
    with pytest.raises(ValueError, match="16 bytes"):
        key_stream.stream_key(SECRET, bytes(15))
