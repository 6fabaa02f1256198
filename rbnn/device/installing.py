"""Putting licence files on a board: until its power goes off, or into its flash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rbnn.device.answers import DeviceLicence
from rbnn.device.identity.attesting import prove_or_warn
from rbnn.device.session import Session
from rbnn.device.target import Say, Target
from rbnn.frozen import Frozen
from rbnn.keys import licence as licences
from rbnn.keys import provisioning, revocation
from rbnn.keys.errors import LicenceError
from rbnn.keys.licence import Licence
from rbnn.keys.records import IssuedLicence
from rbnn.keys.registry import Registry
from rbnn.keys.revocation import Notice


class ObeyedNotice(Frozen):
    """A notice of revocation that the board has taken: it keeps it for good."""

    task: str
    accepts_from: int
    """The first sequence that it still accepts for the task."""


class InstalledLicence(Frozen):
    """A licence that the board has taken; ``lasting`` if it is in flash."""

    task: str
    licence: str
    sequence: int
    lasting: bool


def read_files(files: Sequence[Path]) -> tuple[list[Licence], list[Notice]]:
    """Read licence files and notices of revocation.

    Raises:
        LicenceError: names the file that cannot be read or is neither.
    """
    found: list[Licence] = []
    notices: list[Notice] = []
    for file in files:
        try:
            data = file.read_bytes()
            if revocation.is_notice(data):
                notices.append(revocation.parse(data))
            else:
                found.append(licences.parse(data))
        except OSError as error:
            raise LicenceError(
                f"Cannot read {file}: {error.strerror}.", "Make one with: rbnn license issue"
            ) from error
        except LicenceError as error:
            raise LicenceError(
                f"{file} is no licence file: {error.what}", "Make one with: rbnn license issue"
            ) from error
    return found, notices


def obey(session: Session, notices: Sequence[Notice]) -> list[ObeyedNotice]:
    """Give a board notices of revocation.

    Raises:
        DeviceError: it refuses one.
    """
    obeyed = [session.revoke(one.data) for one in notices]
    return [ObeyedNotice(task=task, accepts_from=floor) for task, floor in obeyed]


def install(session: Session, new: Sequence[Licence]) -> list[InstalledLicence]:
    """Give a board licences that it keeps until power-off.

    Raises:
        DeviceError: it refuses one.
    """
    return [_installed(session.add_licence(one.data)) for one in new]


def install_in_flash(
    target: Target, registry: Registry, new: Sequence[Licence], say: Say
) -> list[InstalledLicence]:
    """Write licences to a board's provisioning partition, beside those of its other tasks that
    count; revoked ones are removed from it.

    Args:
        target: the board; it is power-cycled.
        registry: has the board's helper record and the licences that it holds.
        new: at most one per task.
        say: warned if the board's firmware cannot prove which device it is.

    Raises:
        RbnnError: the board is not the device that it says it is, a licence was revoked, the
            registry does not know all that the partition holds, or the board refuses.
    """
    with target.open() as session:
        public = bytes.fromhex(session.identify().public)
        known = {entry.licence_id: entry for entry in registry.licences(public)}
        _refuse_revoked(known, new)
        prove_or_warn(session, registry, public, say)
        install(session, new)  # refuses what is for another model, before anything is written
        held = {one.licence_id for one in session.licences() if one.place == "flash"}
    record = registry.device(public).helper_record
    if missing := held - set(known):
        raise LicenceError(
            f"The board holds a licence {min(missing)[:16]}… that this registry does not know; "
            "writing its flash would lose it.",
            "Name the registry of the board with --registry, or omit --keep.",
        )
    replaced = {one.task_number for one in new}
    kept = [licences.parse(known[one].data) for one in sorted(held) if not known[one].revocation]
    kept = [one for one in kept if one.task_number not in replaced]
    target.write_provisioning(provisioning.build(record, [*kept, *new]))
    target.power_cycle()
    wanted = {one.licence_id.hex() for one in new}
    with target.open() as session:
        found = [one for one in session.licences() if one.licence_id in wanted]
    if {one.licence_id for one in found} != wanted:
        raise LicenceError(
            "The board does not hold the licences that were just written.",
            "Check that the port belongs to the board that was written, and run it again.",
        )
    return [_installed(one) for one in found]


def _refuse_revoked(known: Mapping[str, IssuedLicence], new: Sequence[Licence]) -> None:
    for one in new:
        entry = known.get(one.licence_id.hex())
        if entry is not None and entry.revocation is not None:
            raise LicenceError(
                f"The licence {entry.licence_id[:16]}… for {entry.task_name} was revoked: "
                f"{entry.revocation.reason}.",
                "Issue another one: rbnn license issue",
            )


def _installed(found: DeviceLicence) -> InstalledLicence:
    return InstalledLicence(
        task=found.task,
        licence=found.licence_id,
        sequence=found.sequence,
        lasting=found.place == "flash",
    )
