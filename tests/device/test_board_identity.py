"""Known devices prove who they are; a licence moves only if its device gives it up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flashed_board import OTHER_TASK, TASK, Flashed, quiet
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.device import installing
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.enrolment import enroll
from rbnn.device.identity import transfer
from rbnn.device.identity.attesting import check_device
from rbnn.device.licensing import issue_licences
from rbnn.flash.emulated import EmulatedBoard
from rbnn.keys.errors import AttestationError, LicenceError
from rbnn.keys.records import IssuedLicence
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import create_user_key

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def moved(flashed: Flashed) -> Iterator[Flashed]:
    """The flashed board, powered off afterwards."""
    yield flashed
    flashed.target.emulator.power_off()


@pytest.fixture(scope="module")
def pair(moved: Flashed) -> tuple[EmulatedTarget, EmulatedTarget, bytes]:
    """That device, one more, and the latter's public key."""
    giver = moved.copy("giver")
    shutil.copy(moved.target.device.store_file, giver.device.store_file)
    giver.power_cycle()
    EmulatedBoard.create(moved.folder / "taker", "qemu", seed=8)
    taker = EmulatedTarget(giver.board, moved.folder / "taker", quiet)
    taker.device.write_flash(moved.target.device.flash_file.read_bytes(), giver.board.flash.bytes)
    moved.copies.append(taker)
    taker.power_cycle()
    return giver, taker, bytes.fromhex(enroll(taker, moved.registry, quiet).device)


def held_by(target: EmulatedTarget, book: Registry, task: str) -> IssuedLicence:
    with target.open() as session:
        (held,) = [one for one in session.licences() if one.task == task]
    return book.find_licence(held.licence_id)


def another_registry(flashed: Flashed, folder: Path, sign_public: bytes) -> Registry:
    """A registry that has this device with another signing key."""
    book = Registry.open(folder / "other.sqlite")
    known = flashed.registry.device(flashed.public)
    book.add_device(flashed.public, sign_public, "qemu", known.helper_record)
    return book


def test_a_board_proves_that_it_is_the_enrolled_one(moved: Flashed) -> None:
    moved.target.power_cycle()
    found = check_device(moved.target, moved.registry)
    assert found.device == moved.report.device and found.build == "development"
    assert found.model_digest == moved.container.digest.hex()
    assert found.store_generation == 1 and found.store_slots >= 1
    assert "proved that it has the key" in found.summary()
    folder = str(moved.target.device.folder)
    arguments = ["devices", "check", "--device-folder", folder]
    place = str(moved.folder / "registry.sqlite")
    said = CliRunner().invoke(build(), [*arguments, "--registry", place])
    assert said.exit_code == 0 and moved.report.device in said.stdout


def test_a_device_with_another_key_is_refused_at_every_contact(
    moved: Flashed, tmp_path: Path
) -> None:
    moved.target.power_cycle()
    flash = moved.target.device.provisioning_file.read_bytes()
    with another_registry(moved, tmp_path, b"\x09" * 32) as book:
        issued = issue_licences(
            *(moved.container, moved.prepared.secrets(), moved.provider, moved.public),
            *(moved.user_key, book, [TASK]),
        )
        for act in (
            lambda: check_device(moved.target, book),
            lambda: enroll(moved.target, book, quiet),
            lambda: installing.install_in_flash(moved.target, book, [issued[TASK]], quiet),
        ):
            with pytest.raises(AttestationError, match="is not signed with the key 0909"):
                act()
    assert moved.target.device.provisioning_file.read_bytes() == flash, "nothing was written"


def test_a_licence_is_issued_anew_only_after_its_device_gave_it_up(
    moved: Flashed, pair: tuple[EmulatedTarget, EmulatedTarget, bytes], tmp_path: Path
) -> None:
    target, other, to = pair
    book, user = moved.registry, moved.user_key
    old = held_by(target, book, TASK)
    with pytest.raises(LicenceError, match="is for this device already"):
        transfer.check(book, old, moved.public, moved.container, moved.provider, user)
    transfer.check(book, old, to, moved.container, moved.provider, user)
    file = tmp_path / "out" / "colour.receipt"
    with pytest.raises(AttestationError, match="this one is"):
        transfer.receipt_for(other, book, old, user, file, quiet)
    receipt = transfer.receipt_for(target, book, old, user, file, quiet)
    # Interrupted here, the file goes on; so does the board, which signs again.
    assert transfer.receipt_for(other, book, old, user, file, quiet) == receipt
    file.unlink()
    assert transfer.receipt_for(target, book, old, user, file, quiet)[:16] == receipt[:16]
    file.write_bytes(receipt[:-1] + bytes([receipt[-1] ^ 1]))
    with pytest.raises(AttestationError, match="is not signed"):
        transfer.receipt_for(target, book, old, user, file, quiet)

    made = transfer.issue_successor(
        *(book, old, to, receipt, moved.container, moved.prepared.secrets()[TASK]),
        *(moved.provider, user, lambda _: None),
    )
    closed = book.find_licence(old.licence_id).revocation
    assert closed is not None and closed.successor == made.licence_id.hex()
    assert closed.receipt == receipt
    book.verify_chain()
    with pytest.raises(LicenceError, match="was closed"):
        transfer.check(
            book, book.find_licence(old.licence_id), to, moved.container, moved.provider, user
        )
    with other.open() as session:
        session.add_licence(made.data)
        session.unlock(TASK, user.psk(made.licence_id))
    with target.open() as session:
        assert {one.task for one in session.licences()} == {TASK, OTHER_TASK}


def test_the_command_moves_a_licence(
    moved: Flashed, pair: tuple[EmulatedTarget, EmulatedTarget, bytes], tmp_path: Path
) -> None:
    target, other, to = pair
    old = held_by(target, moved.registry, OTHER_TASK)
    words = tmp_path / "passphrase"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    command = ["license", "transfer", old.licence_id[:12], "--to", to.hex()[:12]]
    command += ["--run", str(moved.run.folder), "--out", str(tmp_path / "out")]
    command += ["--provider-key", str(moved.folder / "provider.pem")]
    command += ["--passphrase-file", str(words), "--json"]
    command += ["--registry", str(moved.folder / "registry.sqlite")]
    command += ["--device-folder", str(target.device.folder)]
    stranger = tmp_path / "stranger.key"
    create_user_key(stranger)
    for key, code in (
        (stranger, 1),
        (moved.folder / "user.key", 0),
        (moved.folder / "user.key", 1),
    ):
        said = CliRunner().invoke(build(), [*command, "--user-key", str(key)])
        assert (said.exit_code or 0) == code, (said.output, said.exception)
        if code == 0:
            row = json.loads(said.stdout)["transferred"]
    closed = moved.registry.find_licence(old.licence_id).revocation
    assert closed is not None and closed.successor == row["licence"]
    assert closed.receipt == Path(row["receipt"]).read_bytes()
    with other.open() as session:
        session.add_licence(Path(row["file"]).read_bytes())
        session.unlock(OTHER_TASK, moved.user_key.psk(bytes.fromhex(row["licence"])))
