"""From a trained run to a working board: export, build, write, enrol, license, check."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.container.container import Container
from rbnn.device.enrolment import KnownDevice, confirm, recognise
from rbnn.device.licensing import issue_licences
from rbnn.device.target import Say, Target
from rbnn.errors import RbnnError
from rbnn.export.export import Export, export_run
from rbnn.export.packed import PackedModel
from rbnn.frozen import Frozen
from rbnn.image import platformio, sizes
from rbnn.image.platformio import BuildResult
from rbnn.image.sizes import SizeReport
from rbnn.keys import licence, provisioning
from rbnn.keys.errors import UserKeyError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.queries import LicenceFilter
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey
from rbnn.places import build_cache
from rbnn.runs.figures import unfinished
from rbnn.runs.run import Run


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
    sizes: SizeReport

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
    sizes: SizeReport


@dataclass(frozen=True)
class Prepared:
    """A firmware that was built and fits its board.

    Args:
        source: folder of the run or packed model that it was made from.
        secrets: reads its task secrets, 32 bytes each, by name.
        export: the model.
        build: the image.
        sizes: of the image.
    """

    source: Path
    secrets: Callable[[], Mapping[str, bytes]]
    export: Export
    build: BuildResult
    sizes: SizeReport


def prepare(
    run: Run,
    target: Target,
    provider_public: bytes,
    say: Say,
    check: Callable[[Run, Export, Say], object] | None = None,
    *,
    development: bool = False,
) -> Prepared:
    """Export if needed, check, build, and measure; the board is not touched.

    Args:
        run: a trained run.
        target: the board.
        provider_public: X25519 public key of the licence provider, 32 bytes.
        say: told each step.
        check: raises if the export is not to be flashed, such as
            :func:`rbnn.export.checks.require_checked`; None if the caller checks.
        development: build with the commands that show what happens inside.

    Raises:
        FitError: the image does not fit the board; the message holds the numbers.
        RbnnError: the run is not usable, or a tool is missing.
    """
    if note := unfinished(run):
        say(note)
    export = _current_export(run, provider_public, say)
    if check is not None:
        check(run, export, say)
    return _build(run.folder, run.secrets, export, target, say, development)


def prepare_packed(
    packed: PackedModel,
    target: Target,
    say: Say,
    folder: Path | None = None,
    *,
    development: bool = False,
) -> Prepared:
    """Like :func:`prepare`, for a packed model, whose keys are published.

    Args:
        packed: the model.
        target: the board.
        say: told each step.
        folder: for the build's input and output; None for one in the cache.
        development: as for :func:`prepare`.

    Raises:
        RbnnError: see :func:`prepare`.
    """
    say(f"The keys of {packed.folder} are TEST-ONLY: published, they protect nothing.")
    place = build_cache() / "packed" / packed.document.model_digest[:16]
    export = packed.lay_out(place if folder is None else folder)
    source = packed.folder
    return _build(source, packed.secrets, export, target, say, development, test_only=True)


def _build(
    source: Path,
    secrets: Callable[[], Mapping[str, bytes]],
    export: Export,
    target: Target,
    say: Say,
    development: bool,
    *,
    test_only: bool = False,
) -> Prepared:
    kind = "a development build of the firmware, with trace%," if development else "the firmware"
    say(f"Building {kind} for {target.board.name}.")
    build = platformio.build(
        target.board, export.folder, test_only=test_only, development=development
    )
    return Prepared(source, secrets, export, build, sizes.report(build, export))


def _current_export(run: Run, provider_public: bytes, say: Say) -> Export:
    with contextlib.suppress(RbnnError):  # missing or damaged: exported again
        export = Export.read(run.export_folder)
        if export.is_current(run, provider_public):
            return export
    say(f"Exporting {run.folder}.")
    return export_run(run, provider_public)


def flash(
    prepared: Prepared,
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
        prepared: from :func:`prepare`.
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
    write_firmware(prepared, target, say)
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
        sizes=prepared.sizes,
    )


def write_firmware(prepared: Prepared, target: Target, say: Say) -> None:
    """Write only the image; the provisioning partition is not changed."""
    say("Writing the firmware.")
    target.write_firmware(prepared.build, prepared.export.folder)


def plan(prepared: Prepared, target: Target) -> FlashPlan:
    """What would be run to write the board, without touching it."""
    return FlashPlan(
        board=target.board.name,
        run=str(prepared.source),
        commands=tuple(target.commands(prepared.export.folder)),
        sizes=prepared.sizes,
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
