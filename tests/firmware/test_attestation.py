"""What a device signs: its attestation, and the receipt for a licence that it gives up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from host_firmware import HostFirmware, error_name
from licensed_model import LicensedModel

from rbnn import __version__
from rbnn.keys.attestation import statement
from rbnn.keys.errors import AttestationError
from rbnn.spec.statement import STATEMENT, Signed

CHALLENGE = bytes(range(32))


@pytest.fixture
def fresh(licensed: LicensedModel, tmp_path: Path) -> Iterator[HostFirmware]:
    """A device that is enrolled now: it prints the key that it signs with."""
    with HostFirmware(
        licensed.program, licensed.pattern, tmp_path, store=tmp_path / "store.bin"
    ) as firmware:
        yield firmware


def sign_public(firmware: HostFirmware) -> bytes:
    (line,) = (one for one in firmware.ask("enroll") if one.startswith("m-sign-public-["))
    return bytes.fromhex(line[len("m-sign-public-[") : -1])


def signed(answer: list[str]) -> bytes:
    assert [line.partition("[")[0] for line in answer] == ["m-statement-", "m-attest-"], answer
    return b"".join(bytes.fromhex(line.partition("[")[2][:-1]) for line in answer)


def test_a_device_proves_that_it_has_the_key_that_it_showed_at_enrolment(
    fresh: HostFirmware, licensed: LicensedModel
) -> None:
    public = sign_public(fresh)
    data = signed(fresh.ask(f"attest {CHALLENGE.hex()}"))
    found = statement.check(data, public, CHALLENGE, Signed.ATTESTATION)
    assert found.firmware == __version__ and found.development
    assert found.model_id == licensed.export.container.model_id
    assert found.model_digest == licensed.export.container.digest
    assert (found.is_release, found.task_number, found.floor) == (False, 0, 0)
    assert (found.generation, found.slots) == (1, 1)
    again = signed(fresh.ask(f"attest {CHALLENGE.hex().upper()}"))
    assert again == data, "the signature is deterministic"


def test_wrong_keys_replays_and_flipped_bits_are_refused(fresh: HostFirmware) -> None:
    public = sign_public(fresh)
    data = signed(fresh.ask(f"attest {CHALLENGE.hex()}"))
    with pytest.raises(AttestationError, match="is not signed with the key 0909"):
        statement.check(data, b"\x09" * 32, CHALLENGE, Signed.ATTESTATION)
    with pytest.raises(AttestationError, match="another challenge: it is a replayed one"):
        statement.check(data, public, statement.new_challenge(), Signed.ATTESTATION)
    with pytest.raises(AttestationError, match="of another kind"):
        statement.check(data, public, CHALLENGE, Signed.RELEASE)
    with pytest.raises(AttestationError, match="has 203 bytes"):
        statement.check(data[:-1], public, CHALLENGE, Signed.ATTESTATION)
    for bit in range(0, 8 * len(data), 7):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AttestationError, match="is not signed"):
            statement.check(bytes(changed), public, CHALLENGE, Signed.ATTESTATION)


@pytest.mark.parametrize(
    "words", ["", " 00", f" {'0' * 63}", f" {'0' * 65}", f" {'g' * 64}", f" colour {'0' * 64}"]
)
def test_a_malformed_challenge_is_refused(device: HostFirmware, words: str) -> None:
    assert error_name(device.ask(f"attest{words}")) == "argument"


def test_a_device_without_keys_signs_nothing(bare: HostFirmware) -> None:
    assert error_name(bare.ask(f"attest {CHALLENGE.hex()}")) == "not-enrolled"
    assert error_name(bare.ask(f"release colour {CHALLENGE.hex()}")) == "no-container"


def test_a_device_without_a_model_signs_zeros_for_it(bare: HostFirmware) -> None:
    public = sign_public(bare)
    data = signed(bare.ask(f"attest {CHALLENGE.hex()}"))
    found = statement.check(data, public, CHALLENGE, Signed.ATTESTATION)
    assert not any(found.model_id) and not any(found.model_digest)
    assert (found.generation, found.slots) == (0, 0), "it has no store"


def test_only_who_can_open_a_licence_can_have_it_given_up(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    release = f"release colour {CHALLENGE.hex()}"
    assert error_name(device.ask(release)) == "locked"
    assert device.ask(f"unlock colour {licensed.psk('colour')}") == ["m-unlocked-[colour]"]
    assert error_name(device.ask(f"release house {CHALLENGE.hex()}")) == "unknown-task"
    assert error_name(device.ask("release colour")) == "argument"


def test_a_licence_that_was_given_up_never_opens_again(
    licensed: LicensedModel, tmp_path: Path
) -> None:
    store = Path(shutil.copy(licensed.store, tmp_path / "store.bin"))
    container = licensed.export.container
    one = licensed.licences["colour"]

    def start() -> HostFirmware:
        pattern = licensed.noisy_pattern()
        return HostFirmware(licensed.program, pattern, tmp_path, licensed.partition, store)

    with start() as firmware:
        firmware.ask(f"unlock colour {licensed.psk('colour')}")
        firmware.ask(f"unlock grey {licensed.psk('grey')}")
        firmware.ask("switch colour")
        first = signed(firmware.ask(f"release colour {CHALLENGE.hex()}"))
        assert error_name(firmware.ask("results")) == "no-active-task"
        assert error_name(firmware.ask(f"unlock colour {licensed.psk('colour')}")) == "licence-old"
        assert firmware.ask("switch grey")[-1] == "m-active-[grey]", "other tasks are untouched"
    with start() as firmware:
        assert error_name(firmware.ask(f"unlock colour {licensed.psk('colour')}")) == "licence-old"
        # Asked again, it gives another receipt and writes nothing.
        before = store.read_bytes()
        other = statement.new_challenge()
        second = signed(firmware.ask(f"release colour {other.hex()}"))
    assert store.read_bytes() == before
    for data, challenge in ((first, CHALLENGE), (second, other)):
        values = STATEMENT.unpack(data)
        assert values["kind"] == Signed.RELEASE
        assert (values["task"], values["floor"]) == (one.task_number, one.sequence + 1)
        assert (values["model_id"], values["challenge"]) == (container.model_id, challenge)


def test_a_receipt_counts_for_its_own_licence_only(
    fresh: HostFirmware, licensed: LicensedModel, tmp_path: Path
) -> None:
    public = sign_public(fresh)
    model = licensed.export.container.model_id
    fresh.load(licensed.licences["colour"].data)
    fresh.ask("licence")  # the same pattern gives the same device
    fresh.ask(f"unlock colour {licensed.psk('colour')}")
    data = signed(fresh.ask(f"release colour {CHALLENGE.hex()}"))
    arguments = (data, public, CHALLENGE)
    assert statement.check_receipt(*arguments, model, 0, 1).floor == 2
    for other in ((b"x" * 16, 0, 1), (model, 1, 1)):
        with pytest.raises(AttestationError, match="for a task of another licence"):
            statement.check_receipt(*arguments, *other)
    with pytest.raises(AttestationError, match="still accepts licences from number 2"):
        statement.check_receipt(*arguments, model, 0, 2)
    with pytest.raises(AttestationError, match="replayed"):
        statement.check_receipt(data, public, bytes(32), model, 0, 1)
