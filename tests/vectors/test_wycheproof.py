"""Wycheproof's X25519 and ChaCha20-Poly1305 cases, on host Python, host C and QEMU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from computers import Computer, Refusal
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from trust_rows import Trust, trust_row

X25519 = "wycheproof_x25519_test.json"
AEAD = "wycheproof_chacha20_poly1305_test.json"
ZERO = bytes(32)
x25519_row = trust_row(
    "vectors-x25519", "Wycheproof's cases of X25519", "all 518 as published, everywhere"
)
aead_row = trust_row(
    "vectors-chacha20-poly1305",
    "Wycheproof's cases of ChaCha20-Poly1305 with 96-bit nonces",
    "all 316 as published, everywhere",
)


def x25519_cases(document: Any) -> list[tuple[int, bytes, bytes, bytes]]:
    cases = [
        (case["tcId"], *(bytes.fromhex(case[name]) for name in ("private", "public", "shared")))
        for group in document["testGroups"]
        for case in group["tests"]
    ]
    assert len(cases) == 518
    return cases


def aead_cases(document: Any) -> list[dict[str, Any]]:
    cases = [
        case for group in document["testGroups"] if group["ivSize"] == 96 for case in group["tests"]
    ]
    assert len(cases) == 316
    assert {case["result"] for case in cases} == {"valid", "invalid"}
    return cases


def aead_words(case: dict[str, Any]) -> list[bytes]:
    key, nonce, associated = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad"))
    return [key, nonce, associated, bytes.fromhex(case["ct"] + case["tag"])]


@x25519_row
def test_x25519_in_python(public_vectors: Callable[[str], Any], trust: Trust) -> None:
    refused = 0
    cases = x25519_cases(public_vectors(X25519))
    for number, private, public, shared in cases:
        point = X25519PublicKey.from_public_bytes(public)
        key = X25519PrivateKey.from_private_bytes(private)
        if shared == ZERO:
            with pytest.raises(ValueError):
                key.exchange(point)
            refused += 1
        else:
            assert key.exchange(point) == shared, number
    assert refused == 31
    trust.measured(f"Python {len(cases)}", len(cases))


@x25519_row
def test_x25519_on_the_device(
    computer: Computer, public_vectors: Callable[[str], Any], trust: Trust
) -> None:
    cases = x25519_cases(public_vectors(X25519))
    # The device takes an all-zero product as it is (firmware/licence/noise.h).
    for number, private, public, shared in cases:
        assert computer.ask("x25519", private, public) == [shared], number
    trust.measured(f"{computer.name} {len(cases)}", len(cases))


@aead_row
def test_aead_in_python(public_vectors: Callable[[str], Any], trust: Trust) -> None:
    cases = aead_cases(public_vectors(AEAD))
    for case in cases:
        key, nonce, associated, sealed = aead_words(case)
        text = bytes.fromhex(case["msg"])
        cipher = ChaCha20Poly1305(key)
        if case["result"] == "valid":
            assert cipher.decrypt(nonce, sealed, associated) == text, case["tcId"]
            assert cipher.encrypt(nonce, text, associated) == sealed, case["tcId"]
        else:
            with pytest.raises(InvalidTag):
                cipher.decrypt(nonce, sealed, associated)
    trust.measured(f"Python {len(cases)}", len(cases))


@aead_row
def test_aead_on_the_device(
    computer: Computer, public_vectors: Callable[[str], Any], trust: Trust
) -> None:
    cases = aead_cases(public_vectors(AEAD))
    for case in cases:
        if case["result"] == "valid":
            assert computer.ask("aead", *aead_words(case)) == [bytes.fromhex(case["msg"])], case[
                "tcId"
            ]
        else:
            with pytest.raises(Refusal, match="sealed-block"):
                computer.ask("aead", *aead_words(case))
    trust.measured(f"{computer.name} {len(cases)}", len(cases))
