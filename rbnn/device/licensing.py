"""Issuing licences for the tasks of an exported model, and adding them to the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rbnn.container.container import Container
from rbnn.keys import licence
from rbnn.keys.errors import LicenceError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
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
) -> dict[str, Licence]:
    """Issue one licence for each task.

    Args:
        container: the model.
        secrets: its task secrets S_t by task name, 32 bytes each.
        provider: issues the licences; its public key must be the one in the container.
        device: X25519 public key of an enrolled device, 32 bytes.
        user_key: the key that will open them.
        registry: contains the device and receives the licences.
        tasks: names of the tasks to license; empty for all.
        inference_limit: inferences per activation; 0 for no limit.

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
    registry.device(device)
    issued = {}
    for name, number in numbers.items():
        issued[name] = licence.issue(
            provider,
            device,
            user_key,
            container.model_id,
            container.digest,
            number,
            secrets[name],
            registry.next_sequence(device),
            inference_limit,
        )
        registry.add_licence(device, issued[name], name, user_key.fingerprint)
    return issued
