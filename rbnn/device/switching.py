"""Unlocking a task on the board with the user's key, and making it the active one."""

from __future__ import annotations

from collections.abc import Callable

from rbnn.device.answers import DeviceTask
from rbnn.device.duration import Timed
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.keys.errors import UserKeyError
from rbnn.keys.user_key import UserKey
from rbnn.spec.status import Status


class Switched(Timed):
    """What ``rbnn switch`` did, and how long the device took to switch, without unlocking."""

    task: str
    unlocked_now: bool
    key_checked: bool
    """Whether a user key was given, and opens the task's licence."""


def find_task(session: Session, name: str) -> DeviceTask:
    """The device's task called ``name``.

    Raises:
        DeviceError: the model has no such task.
    """
    tasks = session.tasks()
    for task in tasks:
        if task.name == name:
            return task
    error = DeviceError(Status.UNKNOWN_TASK, Status.UNKNOWN_TASK.text, f"switch {name}")
    error.fix = f"Its tasks are: {', '.join(task.name for task in tasks)}."
    raise error


def unlock_task(session: Session, name: str, user_key: Callable[[], UserKey] | None) -> None:
    """Open the licence that the device holds for a task.

    Args:
        session: the board.
        name: a task of its model.
        user_key: reads the key; None if the user gave none.

    Raises:
        UserKeyError: the key cannot be read, or there is none.
        DeviceError: no licence, or it does not open.
    """
    licences = [entry for entry in session.licences() if entry.task == name]
    if not licences:
        raise DeviceError(Status.NO_LICENCE, Status.NO_LICENCE.text, f"unlock {name}")
    if user_key is None:
        raise UserKeyError(
            f"Task {name} is locked and no user key was given.",
            f"Give one: rbnn switch {name} --user-key PATH",
        )
    session.unlock(name, user_key().psk(bytes.fromhex(licences[-1].licence_id)))


def switch_task(session: Session, name: str, user_key: Callable[[], UserKey] | None) -> Switched:
    """Make a task active, unlocking it first if it is locked.

    A key that is given is checked even if the task is unlocked: the licence must open with it.

    Args:
        session: the board.
        name: the task.
        user_key: reads the key; None if the user gave none.

    Raises:
        UserKeyError: the key cannot be read, or there is none and the task is locked.
        DeviceError: no such task, no licence, or the licence does not open; the task that was
            active still is.
    """
    task = find_task(session, name)
    locked = task.state in ("locked", "unlicensed")
    if locked or user_key is not None:
        unlock_task(session, name, user_key)
    us = session.switch(name)
    instructions = session.instructions(us)
    return Switched(
        us=us if instructions is None else None,
        instructions=instructions,
        task=name,
        unlocked_now=locked,
        key_checked=user_key is not None,
    )
