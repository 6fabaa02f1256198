"""Wycheproof's X25519 and ChaCha20-Poly1305 cases, on host Python, host C and QEMU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from computers import Computer, Refusal
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

X25519 = "wycheproof_x25519_test.json"
AEAD = "wycheproof_chacha20_poly1305_test.json"
ZERO = bytes(32)


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


def test_x25519_in_python(public_vectors: Callable[[str], Any]) -> None:
    refused = 0
    for number, private, public, shared in x25519_cases(public_vectors(X25519)):
        point = X25519PublicKey.from_public_bytes(public)
        key = X25519PrivateKey.from_private_bytes(private)
        if shared == ZERO:
            with pytest.raises(ValueError):
                key.exchange(point)
            refused += 1
        else:
            assert key.exchange(point) == shared, number
    assert refused == 31


def test_x25519_on_the_device(computer: Computer, public_vectors: Callable[[str], Any]) -> None:
    # The device takes an all-zero product as it is (firmware/licence/noise.h).
    for number, private, public, shared in x25519_cases(public_vectors(X25519)):
        assert computer.ask("x25519", private, public) == [shared], number


def test_aead_in_python(public_vectors: Callable[[str], Any]) -> None:
    for case in aead_cases(public_vectors(AEAD)):
        key, nonce, associated, sealed = aead_words(case)
        text = bytes.fromhex(case["msg"])
        cipher = ChaCha20Poly1305(key)
        if case["result"] == "valid":
            assert cipher.decrypt(nonce, sealed, associated) == text, case["tcId"]
            assert cipher.encrypt(nonce, text, associated) == sealed, case["tcId"]
        else:
            with pytest.raises(InvalidTag):
                cipher.decrypt(nonce, sealed, associated)


def test_aead_on_the_device(computer: Computer, public_vectors: Callable[[str], Any]) -> None:
    for case in aead_cases(public_vectors(AEAD)):
        if case["result"] == "valid":
            assert computer.ask("aead", *aead_words(case)) == [bytes.fromhex(case["msg"])], case[
                "tcId"
            ]
        else:
            with pytest.raises(Refusal, match="sealed-block"):
                computer.ask("aead", *aead_words(case))
