"""A conversation with one board: the command grammar as methods."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Literal, cast

from rbnn.device.answers import (
    ActiveTask,
    Answer,
    BuildKind,
    DeviceLicence,
    DeviceTask,
    Enrolment,
    Identity,
    Inference,
    PufState,
    StackUse,
    TaskState,
    Trace,
    TracedLayer,
    input_of,
    series_of,
)
from rbnn.device.emulated.emulator import instructions
from rbnn.device.errors import DeviceError, LinkError
from rbnn.device.line import COMMAND_TIMEOUT_S, SerialLine
from rbnn.device.noise.asking import Asking
from rbnn.image.board import Emulation
from rbnn.spec import link
from rbnn.spec.layout import (
    HELPER_RECORD_BYTES,
    LICENCE_BYTES,
    MAX_CLASSES,
    MAX_LAYERS,
    MAX_TASKS,
)
from rbnn.spec.link import Protection
from rbnn.spec.status import Status

MODEL_ID_BYTES = 16
LICENCE_ID_BYTES = 16
INFERENCE_TIMEOUT_S = 120.0
ENROL_TIMEOUT_S = 60.0


class Session(Asking):
    """A conversation with a synchronised board.

    Args:
        path: its serial port.
        emulation: how it is emulated; None for a real board.

    Raises:
        PortError: the port cannot be opened or is in use.
        LinkError: no rbnn firmware answers.
    """

    def __init__(self, path: str, emulation: Emulation | None = None) -> None:
        self.emulation = emulation
        super().__init__(SerialLine(path))
        try:
            name = f"m-name-dut-[{self.line.synchronise()}]"
            self.board_name = self.query("name", heard=name).one("name-dut")
        except BaseException:
            self.line.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the port."""
        self.line.close()

    def instructions(self, us: float) -> int | None:
        """Instructions of the emulated core in a time by its clock; None on a real board."""
        if self.emulation is None:
            return None
        return instructions(self.emulation, round(us * self.emulation.tick_hz / 1e6))

    def identify(self) -> Identity:
        """What identifies board, firmware, model and device."""
        answer = self.query("id")
        puf = answer.one("puf")
        for name, size in (("model-id", MODEL_ID_BYTES), ("model-digest", 32), ("public", 32)):
            if text := answer.optional(name):
                answer.hexadecimal(text, size)
        if puf not in ("fresh", "enrolled", "power-cycle", "damaged"):
            raise answer.nonsense(f"the state {puf!r}")
        if (protection := answer.one("protection")) not in list(Protection):
            raise answer.nonsense(f"the protection {protection!r}")
        if (build := answer.one("build")) not in ("release", "development"):
            raise answer.nonsense(f"the build {build!r}")
        return Identity(
            firmware=answer.one("firmware"),
            build=cast(BuildKind, build),
            board=answer.one("board"),
            model_id=answer.optional("model-id"),
            model_digest=answer.optional("model-digest"),
            protection=Protection(protection),
            puf=cast(PufState, puf),
            public=answer.optional("public"),
        )

    def tasks(self) -> list[DeviceTask]:
        """The model's tasks and their state."""
        answer = self.query("tasks")
        tasks = []
        for value in answer.all("task"):
            number, name, classes, state = answer.fields(value, 4)
            if state not in ("unlicensed", "locked", "unlocked", "active"):
                raise answer.nonsense(f"the state {state!r}")
            tasks.append(
                DeviceTask(
                    number=answer.number(number, most=MAX_TASKS - 1),
                    name=name,
                    classes=answer.number(classes, least=1, most=MAX_CLASSES),
                    state=cast(TaskState, state),
                )
            )
        return tasks

    def licences(self) -> list[DeviceLicence]:
        """The licences that the device holds."""
        answer = self.query("licences")
        return [_licence(answer, value) for value in answer.all("licence")]

    def add_licence(self, licence: bytes) -> DeviceLicence:
        """Give the device a licence (``LICENCE_BYTES``) that it keeps until power-off."""
        if len(licence) != LICENCE_BYTES:
            raise LinkError(
                f"A licence has {LICENCE_BYTES} bytes, not {len(licence)}.",
                "Use a file that `rbnn license` wrote.",
            )
        answer = self.ask("licence", data=licence)
        return _licence(answer, answer.one("licence"))

    def revoke(self, notice: bytes) -> tuple[str, int]:
        """Give the device a notice of revocation, which it obeys for good.

        Returns:
            The task, and the first sequence that the device still accepts for it.
        """
        answer = self.ask("revoke", data=notice)
        task, floor = answer.fields(answer.one("revoked"), 2)
        return task, answer.number(floor, most=0xFFFFFFFF)

    def enroll(self) -> Enrolment:
        """Make helper data from the power-up pattern."""
        answer = self.ask("enroll", ENROL_TIMEOUT_S)
        record = b""
        for value in answer.all("helper"):
            offset, digits = answer.fields(value, 2)
            if answer.number(offset) != len(record):
                raise answer.nonsense(f"helper data at {offset} after {len(record)} bytes")
            record += answer.hexadecimal(digits)
        if len(record) != HELPER_RECORD_BYTES:
            raise answer.nonsense(f"{len(record)} of {HELPER_RECORD_BYTES} bytes of helper data")
        return Enrolment(
            record=record,
            public=answer.hexadecimal(answer.one("public"), 32),
            sign_public=answer.hexadecimal(answer.one("sign-public"), 32),
        )

    def unlock(self, task: str, psk: bytes) -> None:
        """Open the licence of ``task`` with its 32-byte pre-shared key."""
        _name(self.ask(f"unlock {task} {psk.hex()}"), "unlocked", task)

    def switch(self, task: str) -> int:
        """Make an unlocked task the active one; returns the microseconds by the device's clock."""
        answer = self.ask(f"switch {task}")
        _name(answer, "active", task)
        return answer.elapsed()

    def lock(self) -> None:
        """Wipe every task secret and key on the device."""
        self.ask("lock")

    def infer(self, image: bytes, n: int = 1, warm_ups: int = 0) -> Inference:
        """Run ``warm_ups`` and then ``n`` timed inferences of one input.

        Args:
            image: 8-bit pixels, rows, columns, channels, as the active task expects them.
            n: timed inferences, at least 1; like the warm-ups at most ``link.MAX_INFERENCES``.
            warm_ups: untimed inferences before them.
        """
        if not (1 <= n <= link.MAX_INFERENCES and 0 <= warm_ups <= link.MAX_INFERENCES):
            raise ValueError(f"At most {link.MAX_INFERENCES} inferences. Received: {n}, {warm_ups}")
        try:
            answer = self.ask(
                f"infer {n} {warm_ups}", INFERENCE_TIMEOUT_S, first_s=COMMAND_TIMEOUT_S, data=image
            )
        except (LinkError, KeyboardInterrupt):
            with contextlib.suppress(LinkError):  # nobody waits for it any more: end it
                self.line.give_up()
            raise
        if f"m-infer-start-{n}" not in answer.lines:
            raise answer.nonsense(f"no start of {n} inferences")
        us = answer.elapsed() / n
        scores = self.query("results", heard=f"m-results-[{answer.one('results')}]").scores()
        return Inference(scores=scores, us=us, instructions=self.instructions(us))

    def results(self) -> tuple[float, ...]:
        """The scores of the last inference."""
        return self.query("results").scores()

    def active_task(self) -> ActiveTask:
        """Input shape and class names of the active task."""
        answer = self.query("labels")
        shape = input_of(answer)
        names: list[str] = []
        for value in answer.all("label"):
            number, name = answer.fields(value, 2)
            if answer.number(number) != len(names):
                raise answer.nonsense(f"label {number} after {len(names)} labels")
            names.append(name)
        if not 1 <= len(names) <= MAX_CLASSES:
            raise answer.nonsense(f"{len(names)} class names")
        return ActiveTask(input_shape=shape, labels=tuple(names), series=series_of(answer, shape))

    def trace(self, image: bytes) -> Trace:
        """Run one inference and report every layer; needs a development build.

        Raises:
            DeviceError: the board refuses, for instance because its firmware is a release build.
        """
        try:
            answer = self.ask("trace", INFERENCE_TIMEOUT_S, data=image)
        except DeviceError as error:
            if error.status is Status.UNKNOWN_COMMAND:
                error.fix = "Only a development build has it: rbnn flash --development"
            raise
        layers: list[TracedLayer] = []
        for value in answer.all("layer"):
            number, operator, ticks, crc = answer.fields(value, 4)
            if answer.number(number, most=MAX_LAYERS - 1) != len(layers):
                raise answer.nonsense(f"layer {number} after {len(layers)} layers")
            layers.append(
                TracedLayer(
                    layer=len(layers),
                    operator=operator,
                    ticks=answer.number(ticks),
                    crc32=answer.number(crc, 16, most=0xFFFFFFFF),
                )
            )
        return Trace(
            layers=tuple(layers),
            scores=answer.scores(),
            ticks_hz=answer.number(answer.one("ticks-hz"), least=1, most=0xFFFFFFFF),
        )

    def stack(self) -> StackUse:
        """The stack's high-water mark."""
        answer = self.ask("stack")
        used, reserved = answer.fields(answer.one("stack"), 2)
        return StackUse(used=answer.number(used), reserved=answer.number(reserved))

    def self_test(self) -> dict[str, str]:
        """The result of each part of the firmware; a part that fails raises DeviceError."""
        answer = self.ask("selftest", INFERENCE_TIMEOUT_S)
        parts = [answer.fields(value, 2) for value in answer.all("selftest")]
        return {part: result for part, result in parts}

    def reset(self) -> None:
        """Restart the firmware without a power cycle and synchronise again."""
        self.line.write(b"reset%")
        self.board_name = self.line.synchronise()


def _name(answer: Answer, name: str, task: str) -> None:
    """Check that an answer names the task that was meant."""
    if (named := answer.one(name)) != task:
        raise answer.nonsense(f"the task {named!r}")


def _licence(answer: Answer, value: str) -> DeviceLicence:
    slot, task, licence_id, sequence, place = answer.fields(value, 5)
    answer.hexadecimal(licence_id, LICENCE_ID_BYTES)
    if place not in ("flash", "ram", "other-model"):
        raise answer.nonsense(f"the place {place!r}")
    return DeviceLicence(
        slot=answer.number(slot),
        task=task,
        licence_id=licence_id,
        sequence=answer.number(sequence),
        place=cast(Literal["flash", "ram", "other-model"], place),
    )
