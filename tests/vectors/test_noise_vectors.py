"""The public Noise vectors (mcginty/snow), on host Python, host C and QEMU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from computers import Computer, Refusal
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from trust_rows import Trust, trust_row

from rbnn.keys import noise

FILE = "noise_25519_ChaChaPoly_BLAKE2b.json"
TOKENS = {
    "N": ("e", "es"),
    "K": ("e", "es", "ss"),
    "X": ("e", "es", "s", "ss"),
    "Npsk0": ("psk", "e", "es"),
    "Kpsk0": noise.KPSK0.tokens,
    "Xpsk1": ("e", "es", "s", "ss", "psk"),
}
noise_row = trust_row(
    "vectors-noise",
    "Noise's published handshakes over 25519, ChaChaPoly and BLAKE2b: six patterns in Python; on "
    "the device Kpsk0, which licences use",
    "all messages, keys and hashes as published",
)


def key(vector: dict[str, Any], name: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(vector[name]))


def psk_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector.get("init_psks", [""])[0])


@noise_row
@pytest.mark.parametrize("name", TOKENS)
def test_python_agrees_on_both_sides(
    name: str, public_vectors: Callable[[str], Any], trust: Trust
) -> None:
    protocol = f"Noise_{name}_25519_ChaChaPoly_BLAKE2b"
    found = [v for v in public_vectors(FILE)["vectors"] if v["protocol_name"] == protocol]
    assert len(found) == 1
    vector = found[0]
    pattern = noise.Pattern(protocol, name.startswith("K"), TOKENS[name])
    prologue = bytes.fromhex(vector["init_prologue"])
    static = key(vector, "init_static") if "init_static" in vector else None
    first = vector["messages"][0]
    message, payload = bytes.fromhex(first["ciphertext"]), bytes.fromhex(first["payload"])

    sent = noise.write(
        pattern,
        prologue,
        static,
        bytes.fromhex(vector["init_remote_static"]),
        psk_of(vector),
        payload,
        ephemeral=key(vector, "init_ephemeral"),
    )
    received = noise.read(
        pattern,
        bytes.fromhex(vector["resp_prologue"]),
        key(vector, "resp_static"),
        bytes.fromhex(vector.get("resp_remote_static", "")),
        psk_of(vector),
        message,
    )

    assert sent.data == message
    assert received.data == payload
    assert sent.handshake_hash == received.handshake_hash == bytes.fromhex(vector["handshake_hash"])
    assert sent.transport_key == received.transport_key
    assert len(vector["messages"]) == 6
    for counter, later in enumerate(vector["messages"][1:]):
        nonce = bytes(4) + counter.to_bytes(8, "little")
        cipher = ChaCha20Poly1305(received.transport_key)
        assert cipher.decrypt(nonce, bytes.fromhex(later["ciphertext"]), b"") == bytes.fromhex(
            later["payload"]
        )
    trust.measured(f"Python {name}", len(vector["messages"]))


@noise_row
def test_device_reads_kpsk0(
    computer: Computer, public_vectors: Callable[[str], Any], trust: Trust
) -> None:
    (vector,) = [
        v for v in public_vectors(FILE)["vectors"] if v["protocol_name"] == noise.KPSK0.protocol
    ]
    first = vector["messages"][0]
    words = [
        bytes.fromhex(vector["resp_prologue"]),
        bytes.fromhex(vector["resp_remote_static"]),
        bytes.fromhex(vector["resp_static"]),
        bytes.fromhex(vector["resp_psks"][0]),
        bytes.fromhex(first["ciphertext"]),
    ]
    payload, handshake_hash = computer.ask("noise", *words)
    assert payload == bytes.fromhex(first["payload"])
    assert handshake_hash == bytes.fromhex(vector["handshake_hash"])

    for position, word in enumerate(words):
        changed = word[:-1] + bytes([word[-1] ^ 1])
        # Clamping clears the top bit but keeps this one: every word matters.
        with pytest.raises(Refusal, match="licence-refused"):
            computer.ask("noise", *words[:position], changed, *words[position + 1 :])
    trust.measured(f"{computer.name} Kpsk0", 1 + len(words))


def test_a_public_key_of_small_order_is_refused_by_the_host() -> None:
    with pytest.raises(noise.Refused):
        noise.write(noise.KPSK0, b"", X25519PrivateKey.generate(), bytes(32), bytes(32), b"payload")
