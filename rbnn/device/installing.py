"""Putting licence files on a board: until its power goes off, or into its flash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
        LicenceError: names the file that cannot be read or is neither, or two files for one task:
            a board keeps only the last of them.
    """
    found: list[Licence] = []
    tasks: dict[tuple[bytes, int], Path] = {}
    notices: list[Notice] = []
    for file in files:
        try:
            data = file.read_bytes()
            if revocation.is_notice(data):
                notices.append(revocation.parse(data))
                continue
            new = licences.parse(data)
        except OSError as error:
            raise LicenceError(
                f"Cannot read {file}: {error.strerror}.", "Make one with: rbnn license issue"
            ) from error
        except LicenceError as error:
            raise LicenceError(
                f"{file} is no licence file: {error.what}", "Make one with: rbnn license issue"
            ) from error
        task = new.model_id, new.task_number
        if task in tasks:
            raise LicenceError(
                f"{tasks[task]} and {file} are for the same task; a board holds one licence per "
                "task.",
                "Name only one of them; rbnn license show FILE tells them apart.",
            )
        tasks[task] = file
        found.append(new)
    return found, notices


def obey(session: Session, notices: Sequence[Notice]) -> Iterator[ObeyedNotice]:
    """Give a board notices of revocation, one after the other.

    Raises:
        DeviceError: it refuses one.
    """
    for one in notices:
        task, floor = session.revoke(one.data)
        yield ObeyedNotice(task=task, accepts_from=floor)


def install(session: Session, new: Sequence[Licence]) -> Iterator[InstalledLicence]:
    """Give a board licences that it keeps until power-off, one after the other.

    Raises:
        DeviceError: it refuses one.
    """
    for one in new:
        yield _installed(session.add_licence(one.data))


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
        RbnnError: the board is not the device that it says it is, a licence was revoked, or the
            registry does not have it as it is for this board; the registry does not know all that
            the partition holds; or the board refuses.
    """
    with target.open() as session:
        public = bytes.fromhex(session.identify().public)
        known = {entry.licence_id: entry for entry in registry.licences(public)}
        _check_issued(known, new)
        prove_or_warn(session, registry, public, say)
        list(install(session, new))  # refuses what is for another model, before anything is written
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


def _check_issued(known: Mapping[str, IssuedLicence], new: Sequence[Licence]) -> None:
    """A licence that the board could never open would replace one in its flash that it can."""
    for one in new:
        number = one.licence_id.hex()
        entry = known.get(number)
        if entry is None:
            raise LicenceError(
                f"The registry has no licence {number[:16]}… for this board: it was issued for "
                "another device or in another registry, or was changed.",
                "Name the registry that it was issued in with --registry, or omit --keep.",
            )
        if entry.data != one.data:
            raise LicenceError(
                f"The licence {number[:16]}… for {entry.task_name} is not the one that was issued: "
                "it was changed.",
                "Issue another one: rbnn license issue",
            )
        if entry.revocation is not None:
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
