"""What can go wrong between host and board."""

from __future__ import annotations

import re

from rbnn.errors import ExitCode, RbnnError
from rbnn.spec.status import Status

_ERROR_LINE = re.compile(r"e-\[(?P<name>[a-z-]+)(?:: (?P<text>.*))?\]")

_OTHER_SRAM = (
    "Switch the board off for ten seconds and try again; if that does not help, move the "
    "fingerprint to other SRAM (noinit in boards/NAME/board.json and memory.ld) or use another "
    "chip: docs/security.md, Fingerprint."
)
_NEW_LICENCE = "Put a new one on the board: rbnn license issue, then rbnn license install"
_FIXES: dict[Status, str] = {
    Status.BUFFER_INCOMPLETE: "Load a whole input first: db load",
    Status.NO_CONTAINER: "Write a model to it: rbnn flash --user-key PATH",
    Status.NO_PROVISIONING: "Enrol it and write licences: rbnn flash --user-key PATH",
    Status.PROVISIONING_DAMAGED: "Write it again: rbnn flash --user-key PATH",
    Status.POWER_CYCLE: "Unplug the board and plug it in again (emulated: rbnn board cycle).",
    Status.PUF_PATTERN: "Switch the board off for ten seconds and try again; if that does not "
    "help, something writes to the fingerprint's RAM (noinit in boards/NAME/board.json) before the "
    "firmware runs.",
    Status.PUF_BIAS: _OTHER_SRAM,
    Status.PUF_ENTROPY: _OTHER_SRAM,
    Status.PUF_HELPER: "Restore its provisioning partition with: rbnn flash --user-key PATH",
    Status.NOT_ENROLLED: "Enrol it: rbnn enroll",
    Status.NO_LICENCE: "Issue one: rbnn flash RUN --user-key PATH; or, if the board has the model "
    "already, rbnn license issue RUN and rbnn license install",
    Status.LICENCE_MODEL: "Issue one for the model that the board has: rbnn license issue RUN and "
    "rbnn license install; or write model and licences: rbnn flash RUN --user-key PATH",
    Status.LICENCE_REFUSED: "Use the user key and the device that the licence was issued for.",
    Status.SEALED_BLOCK: "Write the model again: rbnn flash --user-key PATH",
    Status.LOCKED: "Unlock it: rbnn switch TASK --user-key PATH",
    Status.NO_ACTIVE_TASK: "Choose a task: rbnn switch TASK --user-key PATH",
    Status.DEVELOPMENT_BUILD: "Write a release build: rbnn flash without --development",
    Status.LIMIT: _NEW_LICENCE,
    Status.LICENCE_OLD: _NEW_LICENCE,
    Status.LICENCE_FORMAT: "Issue it with the rbnn that wrote the firmware: rbnn license issue",
    Status.STORE_DAMAGED: "Enrol it as a new device: rbnn enroll --again; then license it again.",
    Status.NO_STORE: "Issue one without --limit and --activations: rbnn license issue",
    Status.ENROLLED: "Enrol it as a new device, which loses its licences: rbnn enroll --again",
    Status.SELF_TEST: "Write the firmware again: rbnn flash --user-key PATH; if that does not "
    "help, the chip is faulty.",
    Status.CONTAINER_FORMAT: "Write model and firmware of one rbnn: rbnn flash --user-key PATH",
    Status.CONTAINER_DAMAGED: "Write the model again: rbnn flash --user-key PATH",
    Status.CONTAINER_LAYER: "Write model and firmware of one rbnn: rbnn flash --user-key PATH",
    Status.LINE_TOO_LONG: "Send shorter lines.",
    Status.BUFFER_SIZE: "Send as many bytes as db load announced.",
    Status.STOPPED: "Send nothing until the answer ends.",
    Status.NO_SOUND: "Switch to a task of sounds, trained with this version: rbnn switch TASK",
    Status.MODEL_SIGNATURE: "Sign it with the key of this firmware's provider (--provider-key), or "
    "write firmware for yours: rbnn flash --partition",
    Status.MODEL_OLD: "Sign the model again, which makes it the newest one: rbnn export RUN, or "
    "rbnn model load RUN",
    Status.MODEL_MEMORY: "Write firmware for this model: rbnn flash --partition --user-key PATH",
    Status.MODEL_ROOM: "Give the old model up: rbnn model load --replace. Until the new one is "
    "complete, the board then has none.",
    Status.MODEL_ORDER: "Load it from its start: rbnn model load",
    Status.MODEL_READ_ONLY: "Write it through the debug probe: rbnn flash --model-only",
    Status.UNKNOWN_TASK: "List its tasks with: rbnn board status",
}


class LinkError(RbnnError):
    """Communication failed: the line is silent, or the answers make no sense."""

    exit_code = ExitCode.BOARD


class NoiseError(LinkError):
    """An answer did not come, or makes no sense: bytes were lost or damaged on the way."""


class PortError(RbnnError):
    """No port, too many ports, or a port that cannot be opened."""

    exit_code = ExitCode.BOARD


class EmulatorError(RbnnError):
    """QEMU does not start, or does not do what it is told."""

    exit_code = ExitCode.BOARD


class DeviceError(RbnnError):
    """The device refused a command, said why, and is ready for the next one.

    Args:
        status: what it answered, or None if this version does not know the name.
        text: the device's own words.
        command: what it was asked; never contains key material.
    """

    exit_code = ExitCode.BOARD

    def __init__(self, status: Status | None, text: str, command: str) -> None:
        said, _, hint = text.partition("; ")
        hint = f"{hint[:1].upper()}{hint[1:]}." if hint else ""
        fix = _FIXES.get(status, hint) if status is not None else hint
        if status is Status.LICENCE_REFUSED and command == "revoke":
            fix = (
                "The notice must be for this device, and made with the key of the provider that "
                "licensed it: rbnn license revoke TASK --device DEVICE --provider-key PATH"
            )
        super().__init__(f"The device refused `{command}`: {said}.", fix)
        self.status = status
        self.text = text
        self.command = command


def from_error_line(line: str, command: str) -> DeviceError:
    """The error that an ``e-[name: text]`` line stands for."""
    match = _ERROR_LINE.fullmatch(line)
    if match is None:
        return DeviceError(None, line, command)
    name = match["name"].replace("-", "_").upper()
    status = Status.__members__.get(name)
    return DeviceError(status, match["text"] or match["name"], command)
