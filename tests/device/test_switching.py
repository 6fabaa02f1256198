"""Switching with and without a user key, against a device that answers from a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_device import ScriptedDevice

from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.keys.errors import UserKeyError
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey, load_user_key
from rbnn.spec.status import Status

Make = Callable[..., ScriptedDevice]
KEY = UserKey(Secret(bytes(range(32))))
LICENCE = "ab" * 16
REFUSED = "e-[licence-refused: the licence does not open with this key on this device]"


def board(device: Make, state: str, unlock: str = "m-unlocked-[words]") -> ScriptedDevice:
    return device(
        tasks=f"m-task-[0,words,10,{state}]",
        licences=f"m-licence-[0,words,{LICENCE},1,flash]",
        unlock=unlock,
        switch="m-lap-us-10\nm-lap-us-30\nm-active-[words]",
    )


@pytest.mark.parametrize("state", ["locked", "unlocked", "active"])
def test_a_key_that_is_given_is_checked_in_every_state(device: Make, state: str) -> None:
    far = board(device, state)
    with Session(far.path) as session:
        switched = switch_task(session, "words", lambda: KEY)
    assert (switched.unlocked_now, switched.key_checked) == (state == "locked", True)
    assert f"unlock words {KEY.psk(bytes.fromhex(LICENCE)).hex()}" in far.received


@pytest.mark.parametrize("state", ["locked", "unlocked", "active"])
def test_a_wrong_key_is_refused_in_every_state(device: Make, state: str) -> None:
    far = board(device, state, REFUSED)
    with Session(far.path) as session, pytest.raises(DeviceError) as caught:
        switch_task(session, "words", lambda: KEY)
    assert caught.value.status is Status.LICENCE_REFUSED
    assert "switch words" not in far.received


@pytest.mark.parametrize("content", [None, "rbnn-user-key-1:00:00000000\n"])
def test_a_key_file_that_is_missing_or_damaged_is_refused_in_every_state(
    device: Make, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "user.key"
    if content is not None:
        path.touch(mode=0o600)
        path.write_text(content)
    far = board(device, "active")
    with Session(far.path) as session, pytest.raises(UserKeyError, match=r"user\.key"):
        switch_task(session, "words", lambda: load_user_key(path))
    assert "switch words" not in far.received


def test_without_a_key_an_unlocked_task_is_switched_to(device: Make) -> None:
    far = board(device, "unlocked")
    with Session(far.path) as session:
        switched = switch_task(session, "words", None)
    assert not switched.unlocked_now and not switched.key_checked
    assert not any(command.startswith("unlock") for command in far.received)
