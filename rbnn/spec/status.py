"""Status codes of the firmware, and the text that each one prints after ``e-``.

Zero is success; every failure is negative. The serial line carries ``e-[name: text]``, so a
person can read it and the host maps the name back to the code.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What a firmware call returns."""

    OK = 0
    ARGUMENT = -1
    UNKNOWN_COMMAND = -2
    LINE_TOO_LONG = -3
    BUFFER_SIZE = -4
    BUFFER_INCOMPLETE = -5
    NO_CONTAINER = -6
    CONTAINER_FORMAT = -7
    CONTAINER_DAMAGED = -8
    CONTAINER_LAYER = -9
    NO_PROVISIONING = -10
    PROVISIONING_DAMAGED = -11
    POWER_CYCLE = -12
    PUF_PATTERN = -13
    PUF_HELPER = -14
    NOT_ENROLLED = -15
    ENROLLED = -16
    UNKNOWN_TASK = -17
    NO_LICENCE = -18
    LICENCE_FORMAT = -19
    LICENCE_MODEL = -20
    LICENCE_REFUSED = -21
    SEALED_BLOCK = -22
    LOCKED = -23
    NO_ACTIVE_TASK = -24
    LIMIT = -25
    SELF_TEST = -26
    OVERRUN = -27
    PUF_BIAS = -28
    PUF_ENTROPY = -29
    LICENCE_OLD = -30
    STORE_DAMAGED = -31
    NO_STORE = -32
    DEVELOPMENT_BUILD = -33
    STOPPED = -34
    NO_SOUND = -35
    MODEL_SIGNATURE = -36
    MODEL_OLD = -37
    MODEL_MEMORY = -38
    MODEL_ROOM = -39
    MODEL_ORDER = -40
    MODEL_READ_ONLY = -41

    @property
    def printed(self) -> str:
        """Its name on the serial line."""
        return self.name.lower().replace("_", "-")

    @property
    def for_partition(self) -> bool:
        """Whether only firmware with a model partition can print it."""
        return self <= Status.MODEL_SIGNATURE

    @property
    def line(self) -> str:
        """What the device prints in ``e-[...]``."""
        return f"{self.printed}: {self.text}"

    @property
    def text(self) -> str:
        """One clause that says what is wrong and, where it can, how to fix it."""
        return _TEXTS[self]


_TEXTS: dict[Status, str] = {
    Status.OK: "ok",
    Status.ARGUMENT: "an argument is missing, malformed or too large; help% lists the commands",
    Status.UNKNOWN_COMMAND: "unknown command; help% lists the commands",
    Status.LINE_TOO_LONG: "the line is longer than the command buffer and was dropped",
    Status.BUFFER_SIZE: "the size is zero or larger than the buffer, or too many bytes were sent",
    Status.BUFFER_INCOMPLETE: "the buffer does not hold a whole input",
    Status.NO_CONTAINER: "this firmware carries no model",
    Status.CONTAINER_FORMAT: "the model container has an unsupported format or version",
    Status.CONTAINER_DAMAGED: "the model container is damaged or truncated; flash it again",
    Status.CONTAINER_LAYER: "a layer of the model does not fit this firmware",
    Status.NO_PROVISIONING: "the provisioning partition is empty; enrol and flash",
    Status.PROVISIONING_DAMAGED: "the provisioning partition is damaged; flash it again",
    Status.POWER_CYCLE: "the fingerprint can only be read after power-on; power-cycle the board",
    Status.PUF_PATTERN: "the SRAM pattern is constant or repeats, so it is not from power-on",
    Status.PUF_HELPER: "helper data and SRAM pattern do not belong together or were changed",
    Status.NOT_ENROLLED: "this device is not enrolled",
    Status.ENROLLED: "this device is already enrolled",
    Status.UNKNOWN_TASK: "the model has no such task; tasks% lists them",
    Status.NO_LICENCE: "no licence for this task on this device",
    Status.LICENCE_FORMAT: "the licence has an unsupported format, version, flags or task number",
    Status.LICENCE_MODEL: "the licence is for another model, or the model was changed",
    Status.LICENCE_REFUSED: "the licence does not open with this key on this device",
    Status.SEALED_BLOCK: "the task's sealed parameters were changed",
    Status.LOCKED: "the task is locked; unlock it first",
    Status.NO_ACTIVE_TASK: "no task is active; unlock and switch to one",
    Status.LIMIT: "a limit of the licence is reached",
    Status.SELF_TEST: "the self-test failed",
    Status.PUF_BIAS: "too many cells of one class in the SRAM pattern have the same value",
    Status.DEVELOPMENT_BUILD: "a development build does not open this licence",
    Status.STOPPED: "stopped by a byte",
    Status.NO_SOUND: "the active task takes no sound",
    Status.PUF_ENTROPY: "the SRAM pattern is too predictable to be a fingerprint",
    Status.LICENCE_OLD: "a newer licence replaced this one, or it was revoked",
    Status.STORE_DAMAGED: "the store of counts is damaged or missing; enrol again",
    Status.NO_STORE: "this device keeps no counts: no licence with a limit",
    Status.MODEL_SIGNATURE: "the model is not signed by this firmware's provider, or was changed",
    Status.MODEL_OLD: "the model is not newer than the one that this device has or had",
    Status.MODEL_MEMORY: "the model needs more memory, flash or tasks than this firmware has",
    Status.MODEL_ROOM: "no room beside the model that is there; model replace% gives that one up",
    Status.MODEL_ORDER: "no model is being loaded, or these are not its next bytes",
    Status.MODEL_READ_ONLY: "this firmware cannot write its model partition; use a debug probe",
    Status.OVERRUN: "bytes arrived faster than they could be read; send the line again",
}
