"""User keys: the file, its permissions, standard input, passphrases."""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import re
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.keys.errors import UserKeyError
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import (
    PREFIX,
    UserKey,
    create_user_key,
    derive_user_key,
    load_user_key,
    parse_line,
)
from rbnn.spec import kdf
from rbnn.spec.published import TEST_ONLY_MARKER

LICENCE_ID = bytes(range(16))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "user.key"
    create_user_key(path)
    return path


def test_a_new_key_is_private_and_reads_back(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o777 == 0o600
    text = key_file.read_text()
    assert re.fullmatch(r"rbnn-user-key-1:[0-9a-f]{64}:[0-9a-f]{8}\n", text)
    key = load_user_key(key_file)
    assert key.line() == text
    assert key.psk(LICENCE_ID) == kdf.derive(key.key.reveal(), kdf.Label.USER_PSK, LICENCE_ID)
    assert key.psk(LICENCE_ID) != key.psk(bytes(16))


def test_two_keys_differ(tmp_path: Path) -> None:
    first, second = create_user_key(tmp_path / "a"), create_user_key(tmp_path / "b")
    assert first != second and first.fingerprint != second.fingerprint


def test_a_key_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(UserKeyError, match="never overwritten"):
        create_user_key(key_file)
    assert key_file.read_bytes() == before


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserKeyError, match="Cannot make the folder"):
        create_user_key(tmp_path / "file" / "user.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_key_that_others_may_use_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(UserKeyError, match="Others may read") as caught:
        load_user_key(key_file)
    assert caught.value.fix == f"Make it private: chmod 600 {key_file}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one line"),
        ("hello\n", "does not hold a user key"),
        ("rbnn-user-key-2:" + "0" * 64 + ":00000000\n", "another version"),
        (f"{PREFIX}:{'0' * 63}:00000000\n", "damaged or mistyped"),
        (f"{PREFIX}:{'g' * 64}:00000000\n", "damaged or mistyped"),
        (f"{PREFIX}:{'0' * 64}\n", "damaged or mistyped"),
        (f"{PREFIX}:{'0' * 64}:é\n", "one line"),
        ("x" * 5000, "too large"),
        ("a\nb\n", "one line"),
    ],
)
def test_malformed_files_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "user.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UserKeyError, match=said) as caught:
        load_user_key(path)
    assert str(path) in caught.value.what


def test_every_mistyped_character_is_noticed(key_file: Path) -> None:
    line = key_file.read_text().strip()
    for position in range(len(PREFIX) + 1, len(line)):
        wrong = "0" if line[position] != "0" else "1"
        with pytest.raises(UserKeyError):
            parse_line(line[:position] + wrong + line[position + 1 :], "it")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(UserKeyError):
        parse_line(text, "it")


@pytest.mark.parametrize("name", ["missing.key", "."])
def test_missing_files_and_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserKeyError) as caught:
        load_user_key(tmp_path / name)
    assert "rbnn keys new user" in caught.value.fix


def test_published_test_keys_are_refused(tmp_path: Path) -> None:
    key = UserKey(Secret(TEST_ONLY_MARKER.ljust(32, b".")))
    path = tmp_path / "user.key"
    path.write_text(key.line())
    path.chmod(0o600)
    with pytest.raises(UserKeyError, match="TEST-ONLY"):
        load_user_key(path)


def test_standard_input(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(key_file.read_text()))
    assert load_user_key(Path("-")) == load_user_key(key_file)
    monkeypatch.setattr("sys.stdin", io.StringIO("Ann@home \na passphrase of words\n"))
    assert load_user_key(Path("-")) == derive_user_key("a passphrase of words", "ann@home")
    for text, said in (
        ("", "no user key"),
        ("ann\nshort\n", "at least"),
        (" \na passphrase of words\n", "owner's name"),
        (PREFIX + ":0\n", "damaged"),
        ("a passphrase of words\n", "one line that is no user key"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        with pytest.raises(UserKeyError, match=said):
            load_user_key(Path("-"))


def test_passphrases_follow_the_documented_rule() -> None:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    rule = b"rbnn/v1/user-passphrase\0ann"
    salt = hashlib.blake2b(rule, digest_size=32).digest()[:16]
    argon = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65536)
    key = derive_user_key("correct horse battery", "ann")
    assert key.key == Secret(argon.derive(b"correct horse battery"))
    assert key == derive_user_key("correct horse battery", " Ann ")


def test_two_owners_of_one_passphrase_have_two_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for owner in ("ann", "bob"):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{owner}\ncorrect horse battery\n"))
        keys.append(load_user_key(Path("-")))
    assert keys[0] != keys[1]
    with pytest.raises(UserKeyError, match="owner's name"):
        derive_user_key("correct horse battery", "  ")


def test_default_file_and_prompt(
    key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserKeyError, match="no user key"):
        load_user_key(None, prompt=False)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: key_file.read_text())
    assert load_user_key(None) == load_user_key(key_file)
    answers = iter(["ann", "a passphrase of words"])
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr("getpass.getpass", ask)
    assert load_user_key(None) == derive_user_key("a passphrase of words", "ann")
    assert not any("ann" in prompt for prompt in prompts)  # it may be a passphrase, from habit
    monkeypatch.setattr("getpass.getpass", lambda _: "")
    with pytest.raises(UserKeyError, match="No user key was given"):
        load_user_key(None)
    (tmp_path / "keys").mkdir()
    created = create_user_key(tmp_path / "keys" / "user.key")
    assert load_user_key(None) == created


def test_secrets_are_not_shown(key_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = load_user_key(key_file)
    digits = key.key.reveal().hex()
    shown = [repr(key), str(key), f"{key.key}", f"{key.key!r}", key.fingerprint]
    logging.getLogger().warning("%s %r", key, key)
    shown.append(caplog.text)
    try:
        raise RuntimeError(key)
    except RuntimeError:
        shown.append(traceback.format_exc())
    assert not any(digits in text or repr(key.key.reveal()) in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(key.key)
    with pytest.raises(TypeError):
        hash(key.key)
    assert key.key != digits and len(key.key) == 32
