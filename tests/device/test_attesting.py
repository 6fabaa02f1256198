"""What the host makes of a device that should prove who it is, and of one that cannot."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import monocypher as pymonocypher
import pytest
from scripted_device import ScriptedDevice

from rbnn.device.errors import DeviceError
from rbnn.device.identity import transfer
from rbnn.device.identity.attesting import prove_known, prove_or_warn
from rbnn.device.session import Session
from rbnn.errors import RbnnError
from rbnn.keys.errors import AttestationError, RegistryError
from rbnn.keys.registry import Registry
from rbnn.spec.layout import HELPER_RECORD_BYTES
from rbnn.spec.statement import STATEMENT, STATEMENT_LABEL, Signed

SEED, OTHER_SEED = b"\x01" * 32, b"\x02" * 32
DEVICE = b"\x05" * 32
Make = Callable[..., ScriptedDevice]


def public_of(seed: bytes) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return bytes(pymonocypher.compute_signing_public_key(seed))


def answer(command: str, seed: bytes = SEED, flipped: int | None = None) -> str:
    """What a device with this key answers to ``attest``."""
    text = STATEMENT.pack(
        {
            "label": STATEMENT_LABEL.ljust(16, b"\0"),
            "kind": int(Signed.ATTESTATION),
            "development": 0,
            "task": 0,
            "protection": b"open".ljust(10, b"\0"),
            "challenge": bytes.fromhex(command.split(" ")[1]),
            "model_id": bytes(16),
            "model_digest": bytes(32),
            "firmware": b"9.9".ljust(16, b"\0"),
            "floor": 0,
            "generation": 3,
            "slots": 4,
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        signed = bytearray(text + bytes(pymonocypher.signature_sign(seed, text)))
    if flipped is not None:
        signed[flipped // 8] ^= 1 << flipped % 8
    size = STATEMENT.size
    return f"m-statement-[{signed[:size].hex()}]\nm-attest-[{signed[size:].hex()}]"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    book = Registry.open(tmp_path / "registry.sqlite")
    book.add_device(DEVICE, public_of(SEED), "qemu", bytes(HELPER_RECORD_BYTES))
    return book


def test_the_right_key_and_challenge_are_accepted(device: Make, registry: Registry) -> None:
    with registry, Session(device(attest=answer).path) as session:
        found = prove_known(session, registry, DEVICE)
    assert (found.firmware, found.generation, found.slots) == ("9.9", 3, 4)


def test_a_device_that_is_not_in_the_registry_is_not_asked(
    device: Make, registry: Registry
) -> None:
    one = device(attest=answer)
    refused = pytest.raises(RegistryError, match="has no device")
    with registry, Session(one.path) as session, refused:
        prove_known(session, registry, bytes(32))
    assert not any(command.startswith("attest") for command in one.received)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda command: answer(command, OTHER_SEED), "is not signed with the key"),
        (lambda _: answer(f"attest {'00' * 32}"), "it is a replayed one"),
        (lambda command: answer(command, flipped=3), "is not signed with the key"),
        (lambda command: answer(command, flipped=8 * STATEMENT.size - 1), "is not signed"),
        (lambda command: answer(command, flipped=8 * STATEMENT.size + 5), "is not signed"),
        (lambda command: answer(command, flipped=8 * STATEMENT.size + 300), "is not signed"),
    ],
)
def test_a_wrong_key_a_replay_and_flipped_bits_are_refused(
    device: Make, registry: Registry, wrong: Callable[[str], str], said: str
) -> None:
    one, refused = device(attest=wrong), pytest.raises(AttestationError, match=said)
    with registry, Session(one.path) as session, refused as caught:
        prove_or_warn(session, registry, DEVICE, pytest.fail)
    assert caught.value.exit_code == 3 and "issue no licence" in caught.value.fix


def test_firmware_that_is_too_old_to_sign_is_warned_of(device: Make, registry: Registry) -> None:
    warned: list[str] = []
    with registry, Session(device().path) as session:
        prove_or_warn(session, registry, DEVICE, warned.append)
        with pytest.raises(AttestationError, match="too old to prove"):
            prove_known(session, registry, DEVICE)
    assert len(warned) == 1 and warned[0].startswith("warning: The device's firmware is too old")


def test_a_device_that_refuses_to_sign_is_refused(device: Make, registry: Registry) -> None:
    one = device(attest="e-[power-cycle: read only after power-on]")
    with registry, Session(one.path) as session, pytest.raises(DeviceError):
        prove_or_warn(session, registry, DEVICE, pytest.fail)


@pytest.mark.parametrize("place", ["/proc/nope", "file"])
def test_a_receipt_that_could_not_be_kept_is_not_asked_for(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    untouched: Any = None  # neither the board nor the registry
    file = tmp_path / place / "digits.receipt"
    with pytest.raises(RbnnError, match="Cannot make or write the folder"):
        transfer.receipt_for(untouched, untouched, untouched, untouched, file, untouched)
