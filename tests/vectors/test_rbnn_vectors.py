"""rbnn's own golden vectors, on host Python, host C and QEMU."""

from __future__ import annotations

import json
from typing import Any

import pytest
from computers import Computer, Refusal
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from make_rbnn_vectors import FILE, document

from rbnn.keys import licence, puf
from rbnn.spec import kdf
from rbnn.spec.layout import LICENCE_PROLOGUE

VECTORS: dict[str, Any] = json.loads(FILE.read_text())


def of(case: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def test_the_file_is_what_its_generator_makes() -> None:
    assert FILE.read_text() == document()


def test_kdf(computer: Computer) -> None:
    assert {case["label"] for case in VECTORS["kdf"]} == {label.value for label in kdf.Label}
    for case in VECTORS["kdf"]:
        parent, context, key = of(case, "parent", "context", "key")
        assert kdf.derive(parent, kdf.Label(case["label"]), context) == key
        assert computer.ask("kdf", parent, case["label"].encode(), context) == [key]


def test_sketch(computer: Computer) -> None:
    for case in VECTORS["sketch"]:
        pattern, record, later, root = of(case, "pattern", "record", "later", "root")
        assert computer.ask("sketch-enroll", pattern) == [record, root]
        assert computer.ask("sketch-reproduce", later, record) == [root]
        assert puf.reproduce(later, record).reveal() == root
        with pytest.raises(Refusal, match="puf-helper"):
            computer.ask("sketch-reproduce", later, record[:-1] + bytes([record[-1] ^ 1]))
    with pytest.raises(Refusal, match="puf-helper"):
        computer.ask("sketch-reproduce", *of(VECTORS["sketch"][0], "later"), record)
    with pytest.raises(Refusal, match="puf-pattern"):
        computer.ask("sketch-enroll", bytes(len(pattern)))


def test_licence(computer: Computer) -> None:
    case = VECTORS["licence"]
    data, private, provider, psk, secret, handshake_hash = of(
        case, "licence", "device_private", "provider_public", "psk", "secret", "handshake_hash"
    )
    one = licence.parse(data)
    device = X25519PrivateKey.from_private_bytes(private)
    opened = licence.open_licence(one, provider, device, psk, one.model_digest)
    assert opened.reveal() == secret
    clear, message = data[: LICENCE_PROLOGUE.size], data[LICENCE_PROLOGUE.size :]
    assert computer.ask("noise", clear, provider, private, psk, message) == [
        secret,
        handshake_hash,
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("nonsense", "unknown-command"),
        ("kdf", "argument"),
        ("kdf 00 00 00", "argument"),
        ("x25519 " + "0" * 63 + " " + "0" * 64, "argument"),
        ("x25519 " + "zz" * 32 + " " + "00" * 32, "argument"),
        ("aead - - - -", "argument"),
        ("noise - - - - - -", "argument"),
        ("sketch-enroll 00", "argument"),
        ("x" * 20000, "line-too-long"),
    ],
)
def test_malformed_lines_are_answered(computer: Computer, line: str, name: str) -> None:
    (answer,) = computer.send(line)
    assert answer.startswith(f"e-[{name}: ")
    assert len(computer.send("x25519 " + "01" * 32 + " " + "09" * 32)) == 1
