"""What a thief would try against a board: each attempt must be refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from rbnn.demo.figures import Refusal
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.enrolment import recognise
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.errors import RbnnError
from rbnn.flash.emulated import EmulatedBoard
from rbnn.keys import licence, provisioning
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey


def _expect_refusal(attempt: str, act: Callable[[], object]) -> Refusal:
    """Run ``act``, which the board must refuse.

    Raises:
        RbnnError: it did not.
    """
    try:
        act()
    except DeviceError as error:
        status = error.status.name.lower().replace("_", "-") if error.status else "unknown"
        return Refusal(attempt=attempt, status=status, text=error.text.split("; ")[0])
    raise RbnnError(f"The board accepted what it must refuse: {attempt}.", "Report this bug.")


def wrong_key(session: Session, user_key: UserKey) -> Refusal:
    """Try to unlock every licence with somebody else's key.

    Raises:
        RbnnError: one of them opened.
    """
    held = session.licences()
    attempt = f"another user's key, on each of {len(held)} licences"
    answers = []
    for one in held:
        psk = user_key.psk(bytes.fromhex(one.licence_id))
        answers.append(_expect_refusal(attempt, partial(session.unlock, one.task, psk)))
    return answers[0]


def before_unlocking(session: Session) -> Refusal:
    """Try to switch to a licensed task without its key."""
    task = session.licences()[0].task
    return _expect_refusal("no key at all", lambda: session.switch(task))


def copied_image(original: EmulatedTarget, folder: Path, user_key: UserKey) -> Refusal:
    """Put a byte-for-byte copy of the flash on another chip, and use the right key."""
    thief = _another_chip(original, folder)
    thief.write_provisioning(original.device.provisioning_file.read_bytes())
    return _try_licences(thief, user_key, "copy of the whole flash on another device")


def moved_licence(
    original: EmulatedTarget,
    folder: Path,
    user_key: UserKey,
    registry: Registry,
    say: Callable[[str], None],
) -> Refusal:
    """Enrol another chip properly, then give it the first chip's licences."""
    thief = _another_chip(original, folder)
    thief.erase_provisioning()
    thief.power_cycle()
    with thief.open() as session:
        device = recognise(session, thief.board.name, registry, say)
    stolen = provisioning.parse(original.device.provisioning_file.read_bytes()).licences
    thief.write_provisioning(provisioning.build(device.helper_record, stolen))
    return _try_licences(thief, user_key, "this device's licences on another enrolled device")


def foreign_licence(
    session: Session, provider: ProviderKey, device_public: bytes, user_key: UserKey
) -> Refusal:
    """Issue a licence for another model and load it."""
    made = licence.issue(
        provider, device_public, user_key, bytes(16), bytes(32), 0, bytes(32), sequence=1
    )
    return _expect_refusal("a licence for another model", lambda: session.add_licence(made.data))


def _another_chip(original: EmulatedTarget, folder: Path) -> EmulatedTarget:
    EmulatedBoard.create(folder, original.board.name)
    thief = EmulatedTarget(original.board, folder, lambda _: None)
    thief.device.write_flash(original.device.flash_file.read_bytes(), original.board.image.bytes)
    return thief


def _try_licences(thief: EmulatedTarget, user_key: UserKey, attempt: str) -> Refusal:
    thief.power_cycle()
    try:
        with thief.open() as session:
            held = session.licences()[0]
            psk = user_key.psk(bytes.fromhex(held.licence_id))
            return _expect_refusal(attempt, lambda: session.unlock(held.task, psk))
    finally:
        thief.emulator.power_off()
