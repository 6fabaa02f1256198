"""``rbnn license install`` and ``revoke`` with files and values that do not work out."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from scripted_device import ScriptedDevice
from typer.testing import CliRunner, Result

from rbnn.cli.main import build
from rbnn.device import installing
from rbnn.errors import RbnnError
from rbnn.keys import licence, revocation
from rbnn.keys.errors import LicenceError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey, load_provider_key
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES

PROVIDER = ProviderKey(X25519PrivateKey.generate())
DEVICE = X25519PrivateKey.generate().public_key().public_bytes_raw()
USER = UserKey(Secret(b"\x07" * 32))
MODEL = b"m" * 16
OLD = "e-[licence-old: a newer licence replaced this one, or it was revoked]"


def issue(task_number: int = 0, inferences: int = 0, activations: int = 0) -> Licence:
    ids = (MODEL, b"d" * 32, task_number, b"s" * 32, 1)
    return licence.issue(PROVIDER, DEVICE, USER, *ids, inferences, activations)


def notice(folder: Path) -> Path:
    file = folder / "one.revocation"
    file.write_bytes(revocation.make(PROVIDER, DEVICE, MODEL, 0, 8).data)
    return file


def licence_file(folder: Path, name: str, one: Licence) -> Path:
    file = folder / f"{name}.licence"
    file.write_bytes(one.data)
    return file


def rbnn(*arguments: object) -> Result:
    return CliRunner().invoke(build(), [str(one) for one in arguments])


@pytest.fixture
def stubborn() -> Iterator[ScriptedDevice]:
    """A board that obeys notices, and refuses every licence."""
    loaded = bytearray()

    def load(command: str) -> str:
        _, word, *rest = command.split(" ")
        if word == "load":
            loaded.clear()
            return f"m-[Expecting {rest[0]} bytes]"
        loaded.extend(bytes.fromhex(word))
        return "m-load-done"

    device = ScriptedDevice(
        {
            "name": "m-name-dut-[nucleo]",
            "db": load,
            "crc": lambda _: f"m-crc-[{binascii.crc32(loaded):08x}]",
            "revoke": "m-revoked-[digits,8]",
            "licence": OLD,
        }
    )
    yield device
    device.close()


def test_two_files_for_one_task_are_refused(tmp_path: Path) -> None:
    newer, older = (licence_file(tmp_path, name, issue()) for name in ("newer", "older"))
    other = licence_file(tmp_path, "other", issue(1))
    assert len(installing.read_files([newer, other])[0]) == 2
    for files in ([newer, other, older], [other, other]):
        with pytest.raises(LicenceError, match="for the same task") as refusal:
            installing.read_files(files)
        assert str(files[-1]) in refusal.value.what and "no licence file" not in refusal.value.what


def test_what_a_board_took_before_it_refused_is_printed(
    tmp_path: Path, stubborn: ScriptedDevice
) -> None:
    files = [notice(tmp_path), licence_file(tmp_path, "one", issue())]
    board = ["--board", "nucleo", "--port", stubborn.path]
    done = rbnn("license", "install", *files, *board)
    assert done.stdout == "digits: licences before 8 are revoked, for good\n"
    assert isinstance(done.exception, RbnnError)
    document = json.loads(rbnn("license", "install", *files, *board, "--json").stdout)
    assert document["revoked"] == [{"task": "digits", "accepts_from": 8}]
    assert "a newer licence replaced this one" in document["error"] and document["try"]


@pytest.mark.parametrize("out", ["file", "file/folder", "/proc/nowhere"])
def test_a_notice_that_cannot_be_written_revokes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("p.pass").write_text("twelve characters")
    Path("p.pass").chmod(0o600)
    assert rbnn("keys", "new", "provider", "p.pem", "--passphrase-file", "p.pass").exit_code == 0
    with Registry.open("registry.sqlite") as registry:
        registry.add_device(DEVICE, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
        with registry.issuing(DEVICE) as desk:
            desk.add(issue(), "digits", USER)
    keys = ["--provider-key", "p.pem", "--passphrase-file", "p.pass"]
    refused = rbnn("license", "revoke", "digits", "--out", out, *keys).exception
    assert isinstance(refused, RbnnError), refused
    assert f"Cannot write {out}" in refused.what and "--out" in refused.fix
    with Registry.open("registry.sqlite") as registry:
        assert registry.licences(DEVICE)[0].revocation is None


def test_the_notice_of_another_provider_is_refused_and_revokes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.pass").write_text("twelve characters")
    Path("p.pass").chmod(0o600)
    with Registry.open("registry.sqlite") as registry:
        registry.add_device(DEVICE, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
        for name in ("own.pem", "other.pem"):
            made = rbnn("keys", "new", "provider", name, "--passphrase-file", "p.pass")
            assert made.exit_code == 0
        own = load_provider_key(Path("own.pem"), Path("p.pass"))
        with registry.issuing(DEVICE) as desk:
            desk.add(issue(), "digits", USER, own.public)
    revoke = ["license", "revoke", "digits", "--passphrase-file", "p.pass", "--out", "notice"]
    refused = rbnn(*revoke, "--provider-key", "other.pem").exception
    assert isinstance(refused, RbnnError), refused
    assert "another provider's key" in refused.what and "--provider-key" in refused.fix
    assert not Path("notice").exists()
    with Registry.open("registry.sqlite") as registry:
        assert registry.licences(DEVICE)[0].revocation is None
    assert rbnn(*revoke, "--provider-key", "own.pem").exit_code == 0


@pytest.mark.parametrize("names", ["", ",", "digits,", " , "])
@pytest.mark.parametrize("command", ["license issue", "flash"])
def test_empty_names_are_not_all_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = rbnn(*command.split(), "--tasks", names).exception
    assert "--tasks has an empty name" in str(refused)


@pytest.mark.parametrize("option", ["--limit", "--activations"])
def test_a_limit_that_no_licence_can_hold_names_the_option(option: str) -> None:
    done = rbnn("license", "issue", option, 2**32)
    assert done.exit_code == 2 and option in done.stderr


def test_limits_are_shown_as_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = rbnn("license", "show", licence_file(tmp_path, "one", issue(0, 5, 2))).stdout
    assert "\ninferences: 5\nactivations: 2\n" in shown
    none = rbnn("license", "show", licence_file(tmp_path, "free", issue())).stdout
    assert "\ninferences: no limit\nactivations: no limit\n" in none


def test_a_notice_is_no_licence_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = rbnn("license", "show", notice(tmp_path)).exception
    assert isinstance(refused, RbnnError)
    assert "notice of revocation" in refused.what and "license install" in refused.fix


def test_a_missing_passphrase_or_key_is_not_to_be_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = rbnn("license", "revoke", "digits").exception
    assert isinstance(refused, RbnnError)
    assert "that the devices were enrolled with: --provider-key" in refused.fix
    assert rbnn("keys", "new", "provider", "p.pem").exit_code == 0
    keys = ["--provider-key", "p.pem", "--passphrase-file", "none"]
    refused = rbnn("license", "revoke", "digits", *keys).exception
    assert isinstance(refused, RbnnError)
    assert "--passphrase-file PATH" in refused.fix and "keys new" not in refused.fix


def test_an_empty_name_of_a_device_is_not_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Registry.open("registry.sqlite") as registry:
        registry.add_device(DEVICE, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
    assert rbnn("license", "list").exit_code == 0
    assert "device is empty" in str(rbnn("license", "list", "--device", "").exception)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "\x1b[31m"])
@pytest.mark.parametrize("command", ["enroll", "flash"])
def test_a_name_that_no_list_can_show_is_refused_before_a_board_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = rbnn(command, "--name", name).exception
    assert isinstance(refused, RbnnError)
    assert "cannot be called" in refused.what and "printable" in refused.fix
    assert list(tmp_path.iterdir()) == []


def test_valid_and_revoked_exclude_each_other() -> None:
    refused = rbnn("license", "list", "--valid", "--revoked").exception
    assert "--valid cannot be combined with --revoked" in str(refused)
