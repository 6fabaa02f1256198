"""Transferring a licence: its device gives it up and signs that; only then there is a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rbnn.container.container import Container
from rbnn.device.errors import DeviceError
from rbnn.device.identity.attesting import ask, prove_known
from rbnn.device.session import Session
from rbnn.device.target import Say, Target
from rbnn.files import make_folder, write_atomic
from rbnn.keys import licence
from rbnn.keys.attestation import statement
from rbnn.keys.errors import AttestationError, LicenceError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.records import IssuedLicence
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey
from rbnn.spec.statement import STATEMENT
from rbnn.spec.status import Status

_ANEW = "Revoke it and issue a new one: rbnn license revoke, rbnn license issue"


def check(
    registry: Registry,
    old: IssuedLicence,
    to: bytes,
    container: Container,
    provider: ProviderKey,
    user_key: UserKey,
) -> None:
    """Check all that could fail later, before a device gives anything up.

    Args:
        registry: has the licence and both devices.
        old: the licence.
        to: X25519 public key of the device that gets the new one, 32 bytes.
        container: the model.
        provider: issues the new one.
        user_key: the key that opens both.

    Raises:
        LicenceError: it cannot be transferred.
        RegistryError: a device is unknown.
    """
    held = licence.parse(old.data)
    name = f"The licence {old.licence_id[:16]}…"
    if old.revocation is not None:
        raise LicenceError(
            f"{name} was closed at {old.revocation.revoked_at}: {old.revocation.reason}.",
            "Issue a new one: rbnn license issue",
        )
    if old.device == to.hex():
        raise LicenceError(f"{name} is for this device already.", "Name another one with --to.")
    registry.device(to)
    if old.model_id != container.model_id.hex():
        raise LicenceError(
            f"{name} is for another model than this run's.", "Name the run of its model."
        )
    if container.provider_public != provider.public:
        raise LicenceError(
            "The model was exported for another provider key; a device would refuse the licence.",
            "Export it again with this one: rbnn export --provider-key PATH",
        )
    if registry.user(user_key) != old.user:
        raise LicenceError(
            f"{name} is for another user key.", "Give its user's key: --user-key PATH"
        )
    if held.inference_limit or held.activation_limit:
        raise LicenceError(
            f"{name} has a limit, and what was used of it stays on its device.", _ANEW
        )


def give_up(session: Session, registry: Registry, old: IssuedLicence, user_key: UserKey) -> bytes:
    """Have a device give up a licence.

    Args:
        session: the device.
        registry: has its pinned key.
        old: the licence.
        user_key: the key that opens it.

    Returns:
        Its receipt, checked.

    Raises:
        AttestationError: it is another device, or signs something else.
        LicenceError: it holds another licence for the task.
        DeviceError: it refuses.
    """
    device = bytes.fromhex(old.device)
    shown = session.identify().public
    if shown != old.device:
        raise AttestationError(
            f"The licence {old.licence_id[:16]}… is for the device {old.device[:16]}…; this one "
            f"is {shown[:16] or 'not enrolled'}.",
            f"Plug in its device, or name it with --board and --port. If it is gone: {_ANEW}",
        )
    prove_known(session, registry, device)
    held = [one for one in session.licences() if one.task == old.task_name]
    if not held:
        session.add_licence(old.data)
    elif held[0].licence_id != old.licence_id:
        raise LicenceError(
            f"The device holds the licence {held[0].licence_id[:16]}… for {old.task_name}, and "
            "would give up that one too.",
            f"Transfer that one, or put this one back first: rbnn license install. Or: {_ANEW}",
        )
    try:
        session.unlock(old.task_name, user_key.psk(bytes.fromhex(old.licence_id)))
    except DeviceError as error:
        if error.status is not Status.LICENCE_OLD:  # it gave it up before
            raise
    challenge = statement.new_challenge()
    receipt = ask(session, f"release {old.task_name}", challenge)
    return _checked(registry, old, receipt, challenge)


def _checked(registry: Registry, old: IssuedLicence, receipt: bytes, challenge: bytes) -> bytes:
    pinned = registry.device(bytes.fromhex(old.device)).sign_pin
    assert pinned is not None, "prove_known has pinned it"
    statement.check_receipt(
        receipt,
        bytes.fromhex(pinned),
        challenge,
        bytes.fromhex(old.model_id),
        old.task_number,
        old.sequence,
    )
    return receipt


def receipt_for(
    target: Target,
    registry: Registry,
    old: IssuedLicence,
    user_key: UserKey,
    file: Path,
    say: Say,
) -> bytes:
    """The receipt of a licence's device: from a file of an earlier attempt, or from the device.

    A floor never falls, so a receipt stays true, whenever it was signed.

    Args:
        target: the device.
        registry: has its pinned key.
        old: the licence.
        user_key: the key that opens it.
        file: keeps the receipt, so that it is not lost if the registry refuses afterwards.
        say: told what happens.

    Raises:
        RbnnError: see :func:`give_up`, or the file holds something else or cannot be written.
    """
    if file.is_file():
        say(f"Using the receipt {file}.")
        kept = _read(file)
        start = STATEMENT.offset("challenge")
        return _checked(registry, old, kept, kept[start : start + statement.CHALLENGE_BYTES])
    make_folder(file.parent)  # before the licence is given up
    with target.open() as session:
        receipt = give_up(session, registry, old, user_key)
    write_atomic(file, receipt)
    return receipt


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise AttestationError(
            f"Cannot read the receipt {file}: {error.strerror or error}.",
            "Make it readable, or move it away: the device then signs another one.",
        ) from error


def issue_successor(
    registry: Registry,
    old: IssuedLicence,
    to: bytes,
    receipt: bytes,
    container: Container,
    secret: bytes,
    provider: ProviderKey,
    user_key: UserKey,
    deliver: Callable[[Mapping[str, Licence]], None],
) -> Licence:
    """Close a licence and issue its successor, in one transaction.

    Args:
        registry: has the licence and both devices.
        old: the licence.
        to: X25519 public key of the device that gets the new one, 32 bytes.
        receipt: checked, of the old device.
        container: the model.
        secret: the task's secret S_t, 32 bytes.
        provider: issues it; :func:`check` has compared it with the container.
        user_key: the key that opens both.
        deliver: called with the licence before the registry keeps it; if it raises, nothing has
            changed.

    Raises:
        RegistryError: see :meth:`Registry.transferring`.
    """
    with registry.transferring(bytes.fromhex(old.licence_id), to, receipt) as desk:
        made = licence.issue(
            provider,
            to,
            user_key,
            container.model_id,
            container.digest,
            old.task_number,
            secret,
            desk.next_sequence(),
            release_only=licence.parse(old.data).release_only,
        )
        desk.add(made, old.task_name, user_key, provider.public)
        deliver({old.task_name: made})
    return made
