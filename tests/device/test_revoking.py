"""Revoking: the notice, what the registry remembers, and what is not flashed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.device.installing import read_files
from rbnn.device.licensing import revoke_task
from rbnn.errors import RbnnError
from rbnn.keys import licence, noise
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.queries import LicenceFilter
from rbnn.keys.registry import Registry
from rbnn.keys.revocation import Notice
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES, LICENCE_PROLOGUE

PROVIDER = ProviderKey(X25519PrivateKey.generate())
USER = UserKey(Secret(b"\x07" * 32))
DEVICE_KEY = X25519PrivateKey.generate()
DEVICE = DEVICE_KEY.public_key().public_bytes_raw()


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Two licences for digits, one for words."""
    path = tmp_path / "registry.sqlite"
    with Registry.open(path) as book:
        book.add_device(DEVICE, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
        with book.issuing(DEVICE) as desk:
            for number, name in ((0, "digits"), (0, "digits"), (1, "words")):
                one = licence.issue(
                    PROVIDER, DEVICE, USER, b"i" * 16, b"d" * 32, number, b"s" * 32,
                    desk.next_sequence(),
                )  # fmt: skip
                desk.add(one, name, USER)
    return path


def test_the_registry_remembers_what_is_revoked(registry: Path, tmp_path: Path) -> None:
    delivered: list[Notice] = []
    with Registry.open(registry) as book:
        notice = revoke_task(book, PROVIDER, DEVICE, "digits", delivered.append)
        assert delivered == [notice]
        assert (notice.task_number, notice.sequence, notice.model_id) == (0, 4, b"i" * 16)
        valid = book.licences(DEVICE, LicenceFilter(is_revoked=False))
        assert [one.task_name for one in valid] == ["words"]
        assert book.verify_chain()[0] == 1 + 3 + 2
        # The next licence is the first that the device still accepts.
        with book.issuing(DEVICE) as desk:
            assert desk.next_sequence() == 4
    # The device's own keys read it, with no user's key.
    size = LICENCE_PROLOGUE.size
    read = noise.read(
        noise.KPSK0, notice.data[:size], DEVICE_KEY, PROVIDER.public, bytes(32), notice.data[size:]
    )
    assert read.data == bytes(32)
    file = tmp_path / "digits.revocation"
    file.write_bytes(notice.data)
    assert read_files([file]) == ([], [notice])


def test_nothing_is_revoked_if_the_notice_cannot_be_written(registry: Path) -> None:
    def fail(_: Notice) -> None:
        raise OSError("disk full")

    with Registry.open(registry) as book:
        with pytest.raises(OSError, match="disk full"):
            revoke_task(book, PROVIDER, DEVICE, "digits", fail)
        assert len(book.licences(DEVICE, LicenceFilter(is_revoked=False))) == 3


def test_a_task_without_a_licence_cannot_be_revoked(registry: Path) -> None:
    with (
        Registry.open(registry) as book,
        pytest.raises(RbnnError, match="no licence for task cats"),
    ):
        revoke_task(book, PROVIDER, DEVICE, "cats", lambda _: None)


def test_files_that_are_neither_are_refused_with_their_name(tmp_path: Path) -> None:
    file = tmp_path / "digits.revocation"
    file.write_bytes(b"RBRV" + bytes(20))
    with pytest.raises(RbnnError, match=r"digits\.revocation"):
        read_files([file])
