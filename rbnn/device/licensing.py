"""Issuing and revoking licences for the tasks of an exported model; the registry remembers both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rbnn.container.container import Container
from rbnn.files import write_atomic
from rbnn.keys import licence, revocation
from rbnn.keys.errors import LicenceError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.revocation import Notice
from rbnn.keys.user_key import UserKey


def issue_licences(
    container: Container,
    secrets: Mapping[str, bytes],
    provider: ProviderKey,
    device: bytes,
    user_key: UserKey,
    registry: Registry,
    tasks: Sequence[str],
    inference_limit: int = 0,
    deliver: Callable[[Mapping[str, Licence]], None] | None = None,
    activation_limit: int = 0,
    *,
    release_only: bool = False,
) -> dict[str, Licence]:
    """Issue one licence for each task: all of them, or none.

    Args:
        container: the model.
        secrets: its task secrets S_t by task name, 32 bytes each.
        provider: issues the licences; its public key must be the one in the container.
        device: X25519 public key of an enrolled device, 32 bytes.
        user_key: the key that will open them.
        registry: contains the device and receives the licences.
        tasks: names of the tasks to license; empty for all.
        inference_limit: inferences with each licence; 0 for no limit.
        deliver: called with the licences before the registry keeps them; if it raises, none is
            issued.
        activation_limit: how often each licence makes its task active; 0 for no limit.
        release_only: whether a development build shall refuse them.

    Returns:
        The licences by task name.

    Raises:
        LicenceError: the model contains another provider's public key.
        RbnnError: a task or the device is unknown, or the registry refuses.
    """
    if container.provider_public != provider.public:
        raise LicenceError(
            "The model was exported for another provider key; a device would refuse the licence.",
            "Export it again with this one: rbnn export --provider-key PATH",
        )
    names = tuple(tasks) or tuple(task.name for task in container.tasks)
    numbers = {name: container.task_number(name) for name in names}
    issued = {}
    with registry.issuing(device) as desk:
        for name, number in numbers.items():
            issued[name] = licence.issue(
                provider,
                device,
                user_key,
                container.model_id,
                container.digest,
                number,
                secrets[name],
                desk.next_sequence(),
                inference_limit,
                activation_limit,
                release_only=release_only,
            )
            desk.add(issued[name], name, user_key, provider.public)
        if deliver is not None:
            deliver(issued)
    return issued


def revoke_task(
    registry: Registry,
    provider: ProviderKey,
    device: bytes,
    task: str,
    deliver: Callable[[Notice], None],
) -> Notice:
    """Revoke all licences of a task that a device was issued so far.

    Args:
        registry: has them; notes the revocation.
        provider: whose licences they are.
        device: X25519 public key of the device, 32 bytes.
        task: the task's name. Of several models with such a task, the one of the newest licence.
        deliver: called with the notice before the registry keeps it; if it raises, nothing is
            revoked.

    Raises:
        LicenceError: the device has no licence for the task, or another provider issued it.
        RbnnError: the registry does not know the device, or refuses.
    """
    issued = [one for one in registry.licences(device) if one.task_name == task]
    if not issued:
        raise LicenceError(
            f"The registry has no licence for task {task} on the device {device.hex()[:16]}….",
            "rbnn license list shows those that were issued.",
        )
    newest = issued[-1]
    if newest.provider not in (None, provider.public.hex()):
        raise LicenceError(
            f"The licence for task {task} on the device {device.hex()[:16]}… was issued with "
            "another provider's key: the device would refuse this notice.",
            "Name the key that issued it: --provider-key PATH",
        )
    with registry.issuing(device) as desk:
        model = bytes.fromhex(newest.model_id)
        first = desk.next_sequence()
        notice = revocation.make(provider, device, model, newest.task_number, first)
        desk.revoke_task(model, newest.task_number, f"notice {notice.notice_id.hex()}")
        deliver(notice)
    return notice


class LicenceFiles:
    """Licence files that appear only when the registry has kept their licences.

    ``with LicenceFiles(folder) as files`` around :func:`issue_licences` with ``files.write``: the
    files get their names when the block ends, and are gone if it raises.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[tuple[Path, Path]] = []
        self._stack = ExitStack()

    @property
    def paths(self) -> list[Path]:
        """The files, in the order of the licences."""
        return [path for _, path in self._waiting]

    def write(self, issued: Mapping[str, Licence]) -> None:
        """Write the licences on the folder's disk, but not yet under their names.

        Raises:
            RbnnError: the folder cannot be written or the disk is full.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            made = TemporaryDirectory(prefix=".issuing-", dir=self._folder)
        except OSError as error:
            raise LicenceError(
                f"Cannot write licences into {self._folder}: {error.strerror or error}.",
                "Make the folder writable, or name another one with --out. Nothing was issued.",
            ) from error
        place = Path(self._stack.enter_context(made))
        for task, one in issued.items():
            name = f"{task}-{one.licence_id.hex()[:8]}.licence"
            write_atomic(place / name, one.data)
            self._waiting.append((place / name, self._folder / name))

    def __enter__(self) -> LicenceFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._stack:
            if kind is None:
                for source, path in self._waiting:
                    source.replace(path)
