"""Licences and the provisioning partition on the host."""

from __future__ import annotations

import binascii

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rbnn.keys import licence, provisioning
from rbnn.keys.errors import LicenceError, ProvisioningError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import (
    HELPER_RECORD_BYTES,
    HELPER_RECORD_PADDED_BYTES,
    LICENCE_BYTES,
    LICENCE_PROLOGUE,
)

PROVIDER = ProviderKey(X25519PrivateKey.generate())
DEVICE = X25519PrivateKey.generate()
USER = UserKey(Secret(b"\x07" * 32))
MODEL_ID, DIGEST, SECRET = b"i" * 16, b"d" * 32, b"s" * 32
RECORD = bytes(range(256)) * 5 + bytes(HELPER_RECORD_BYTES - 1280)


def issue(**changes: object) -> Licence:
    values: dict[str, object] = {
        "provider": PROVIDER,
        "device_public": DEVICE.public_key().public_bytes_raw(),
        "user_key": USER,
        "model_id": MODEL_ID,
        "model_digest": DIGEST,
        "task_number": 3,
        "secret": SECRET,
        "sequence": 5,
        "inference_limit": 9,
    }
    return licence.issue(**{**values, **changes})  # type: ignore[arg-type]


def open_it(
    one: Licence,
    psk: bytes | None = None,
    device: X25519PrivateKey = DEVICE,
    digest: bytes = DIGEST,
    provider: bytes = PROVIDER.public,
) -> bytes:
    psk = USER.psk(one.licence_id) if psk is None else psk
    return licence.open_licence(one, provider, device, psk, digest).reveal()


def test_two_users_of_one_task_have_a_key_for_each_licence() -> None:
    other = UserKey(Secret(b"\x08" * 32))
    first, again, second = issue(), issue(), issue(user_key=other)
    assert first.task_number == second.task_number
    keys = {one.licence_id: USER.psk(one.licence_id) for one in (first, again)}
    keys[second.licence_id] = other.psk(second.licence_id)
    assert len(set(keys.values())) == 3
    for one in (first, again, second):
        for name, psk in keys.items():
            if name == one.licence_id:
                assert open_it(one, psk) == SECRET
                continue
            with pytest.raises(LicenceError):
                open_it(one, psk)


def test_a_licence_carries_its_secret() -> None:
    one = issue()
    assert len(one.data) == LICENCE_BYTES
    assert (one.task_number, one.sequence, one.inference_limit) == (3, 5, 9)
    assert licence.parse(one.data) == one
    assert not one.release_only and issue(release_only=True).release_only
    assert open_it(one) == SECRET
    assert SECRET not in one.data
    assert issue().licence_id != one.licence_id


def test_only_the_right_keys_open_it() -> None:
    one = issue()
    stranger = X25519PrivateKey.generate()
    for attempt in (
        lambda: open_it(one, psk=USER.psk(bytes(16))),
        lambda: open_it(one, psk=UserKey(Secret(b"\x08" * 32)).psk(one.licence_id)),
        lambda: open_it(one, device=stranger),
        lambda: open_it(one, digest=b"D" * 32),
        lambda: open_it(one, provider=stranger.public_key().public_bytes_raw()),
    ):
        with pytest.raises(LicenceError, match="does not open"):
            attempt()


def test_every_changed_bit_is_noticed() -> None:
    one = issue()
    for position in range(8 * LICENCE_BYTES):
        changed = bytearray(one.data)
        changed[position // 8] ^= 1 << position % 8
        digest = LICENCE_PROLOGUE.offset("model_digest")
        with pytest.raises(LicenceError):
            open_it(licence.parse(bytes(changed)))
            # The device first compares the digest with its own (vault.c), then uses its own.
            assert digest <= position // 8 < digest + 32
            raise LicenceError("compared")


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    with pytest.raises(LicenceError):
        licence.parse(data)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secret": b"short"}, "32 bytes"),
        ({"device_public": b"short"}, "public key has 32 bytes"),
        ({"device_public": bytes(32)}, "not a valid public key"),
        ({"task_number": 16}, "Task numbers"),
        ({"task_number": -1}, "Task numbers"),
        ({"model_id": b"short"}, "does not fit"),
        ({"sequence": 2**32}, "does not fit"),
        ({"inference_limit": -1}, "does not fit"),
    ],
)
def test_invalid_licences_are_not_issued(changes: dict[str, object], said: str) -> None:
    with pytest.raises(LicenceError, match=said) as caught:
        issue(**changes)
    assert SECRET.hex() not in str(caught.value) and repr(SECRET) not in str(caught.value)


def test_a_partition_reads_back() -> None:
    licences = tuple(issue(task_number=number) for number in range(3))
    data = provisioning.build(RECORD, licences)
    assert len(data) == 16 + HELPER_RECORD_PADDED_BYTES + 3 * LICENCE_BYTES
    found = provisioning.parse(data + b"\xff" * 100)
    assert found.helper_record == RECORD and found.licences == licences
    full = [issue(task_number=number) for number in range(16)]
    assert len(provisioning.build(RECORD, full)) <= provisioning.MAX_BYTES


def test_partitions_that_cannot_be_built() -> None:
    with pytest.raises(ProvisioningError, match=f"{HELPER_RECORD_BYTES} bytes"):
        provisioning.build(RECORD[:-1], [])
    with pytest.raises(ProvisioningError, match="one task"):
        provisioning.build(RECORD, [issue(), issue()])
    with pytest.raises(ProvisioningError, match="at most 32"):
        provisioning.build(RECORD, [issue()] * 33)


def test_every_changed_or_missing_byte_of_a_partition_is_noticed() -> None:
    data = provisioning.build(RECORD, [issue()])
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(ProvisioningError):
            provisioning.parse(changed)
        with pytest.raises(ProvisioningError):
            provisioning.parse(data[:position])
    for blank in (b"", b"\xff" * 2000, bytes(2000)):
        with pytest.raises(ProvisioningError, match="empty"):
            provisioning.parse(blank)


def test_a_malformed_licence_in_a_partition_is_named() -> None:
    data = bytearray(provisioning.build(RECORD, [issue()]))
    data[-LICENCE_BYTES] ^= 1
    data[12:16] = bytes(4)
    data[12:16] = binascii.crc32(data).to_bytes(4, "little")
    with pytest.raises(ProvisioningError, match="Licence 0"):
        provisioning.parse(bytes(data))
