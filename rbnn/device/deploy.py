"""From a trained run to a working board: export, build, write, enrol, license, check."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rbnn.container.container import Container
from rbnn.device.enrolment import KnownDevice, confirm, recognise
from rbnn.device.licensing import issue_licences
from rbnn.device.model.held import refuse_unfit, say_what_ends
from rbnn.device.model.prepare import Prepared as Prepared
from rbnn.device.model.prepare import PreparedModel as PreparedModel
from rbnn.device.model.prepare import prepare as prepare
from rbnn.device.model.prepare import prepare_model as prepare_model
from rbnn.device.model.prepare import prepare_packed as prepare_packed
from rbnn.device.target import Say, Target
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.image.sizes import SizeReport
from rbnn.keys import licence, provisioning
from rbnn.keys.errors import UserKeyError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.queries import LicenceFilter
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey


class DeployError(RbnnError):
    """The board does not hold what was written, or a task cannot be licensed."""


class FlashedLicence(Frozen):
    """A licence that was written to the board."""

    task: str
    licence_id: str
    sequence: int
    issued_now: bool


class FlashReport(Frozen):
    """What ``rbnn flash`` did."""

    board: str
    run: str
    device: str
    """X25519 public key, hexadecimal."""
    enrolled_now: bool
    model_id: str
    model_digest: str
    licences: tuple[FlashedLicence, ...]
    sizes: SizeReport | None
    """None if only the model was written."""

    def summary(self) -> str:
        """A few lines for people."""
        state = "enrolled" if self.enrolled_now else "known"
        lines = [f"{self.board} runs {self.run} on the {state} device {self.device[:16]}…"]
        lines += [
            f"  {one.task}: licence {one.sequence}" + ("" if one.issued_now else ", kept")
            for one in self.licences
        ]
        return "\n".join(lines)


class FlashPlan(Frozen):
    """What ``rbnn flash --dry-run`` would write."""

    board: str
    run: str
    commands: tuple[str, ...]
    sizes: SizeReport | None


def flash(
    prepared: Prepared | PreparedModel,
    target: Target,
    provider: ProviderKey,
    user_key: UserKey,
    registry: Registry,
    tasks: Sequence[str],
    say: Say,
    name: str | None = None,
    *,
    release_only: bool = False,
) -> FlashReport:
    """Write a prepared firmware, enrol the device on first contact, license it, and check.

    Args:
        prepared: from :func:`prepare`; from :func:`prepare_model`, only the model is written.
        target: the board.
        provider: issues the licences; its public key is in the container.
        user_key: the key that will open them.
        registry: devices and licences.
        tasks: names of the tasks to license; empty for all.
        say: told each step.
        name: what the registry calls the device; None for no name, or the one that it has.
        release_only: whether a development build shall refuse the licences.

    Raises:
        RbnnError: a task is unknown, or the board, the registry or the device refuses. An unknown
            task is refused before anything is written.
    """
    container = prepared.export.container
    numbers = {name: container.task_number(name) for name in tasks or _names(container)}
    secrets = prepared.secrets()
    if isinstance(prepared, Prepared):
        write_firmware(prepared, target, say)
    else:
        with target.open() as session:
            refuse_unfit(session, target.board, prepared.signed)
            say_what_ends(session, prepared.signed, say)
    if prepared.signed is not None:
        say("Writing the model into its partition.")
        target.write_model(prepared.signed.data)
    target.power_cycle()
    with target.open() as session:
        device = recognise(session, target.board.name, registry, say, name)

    held = _licences_to_keep(registry, device, container, set(numbers.values()))
    issued = list(
        issue_licences(
            *(container, secrets, provider, device.public, user_key, registry, list(numbers)),
            release_only=release_only,
        ).values()
    )
    say(f"Licences issued: {len(issued)}; writing the provisioning partition.")
    target.write_provisioning(provisioning.build(device.helper_record, [*held, *issued]))
    target.power_cycle()
    _check(target, device, container, [*held, *issued])
    return FlashReport(
        board=target.board.name,
        run=str(prepared.source),
        device=device.public.hex(),
        enrolled_now=device.is_new,
        model_id=container.model_id.hex(),
        model_digest=container.digest.hex(),
        licences=tuple(
            FlashedLicence(
                task=_names(container)[one.task_number],
                licence_id=one.licence_id.hex(),
                sequence=one.sequence,
                issued_now=one in issued,
            )
            for one in (*held, *issued)
        ),
        sizes=prepared.sizes if isinstance(prepared, Prepared) else None,
    )


def write_firmware(prepared: Prepared, target: Target, say: Say) -> None:
    """Write only the image; the partitions are not changed."""
    say("Writing the firmware.")
    target.write_firmware(prepared.build, prepared.export.folder)


def plan(prepared: Prepared | PreparedModel, target: Target) -> FlashPlan:
    """What would be run to write the board, without touching it."""
    if isinstance(prepared, Prepared):
        key, sizes = prepared.build.partition, prepared.sizes
    else:
        key, sizes = prepared.key, None
    commands = target.commands(prepared.export.folder, key, isinstance(prepared, Prepared))
    return FlashPlan(
        board=target.board.name,
        run=str(prepared.source),
        commands=tuple(commands),
        sizes=sizes,
    )


def require_user_key(load: Callable[[], UserKey] | None) -> UserKey:
    """Load the user key that licences are issued for.

    Raises:
        UserKeyError: none was given, or it cannot be read.
    """
    if load is None:
        raise UserKeyError(
            "No user key was given; licences are issued for a user.",
            "Give one: rbnn flash --user-key PATH (to make one: rbnn keys new user keys/user.key)",
        )
    return load()


def _names(container: Container) -> list[str]:
    return [task.name for task in container.tasks]


def _licences_to_keep(
    registry: Registry, device: KnownDevice, container: Container, replaced: set[int]
) -> list[Licence]:
    """For each of the model's other tasks, the newest valid licence for this model and device."""
    newest: dict[int, Licence] = {}
    for entry in registry.licences(device.public, LicenceFilter(is_revoked=False)):
        if entry.model_digest == container.digest.hex() and entry.task_number not in replaced:
            newest[entry.task_number] = licence.parse(entry.data)
    return [newest[number] for number in sorted(newest)]


def _check(
    target: Target, device: KnownDevice, container: Container, licences: Sequence[Licence]
) -> None:
    """Ask the board what it holds.

    Raises:
        DeployError: it holds something other than what was written.
    """
    with target.open() as session:
        identity = confirm(session, device)
        found = session.tasks()
        held = {entry.licence_id for entry in session.licences()}
    expected = {one.licence_id.hex() for one in licences}
    if (
        identity.model_digest != container.digest.hex()
        or [task.name for task in found] != _names(container)
        or held != expected
    ):
        raise DeployError(
            f"The board holds the model {identity.model_digest[:16] or 'none'}… with the tasks "
            f"{', '.join(task.name for task in found) or 'none'} and {len(held)} licences, not "
            f"the model {container.digest.hex()[:16]}… and the {len(expected)} just written.",
            "Check that the port belongs to the board that was written, and flash it again.",
        )
