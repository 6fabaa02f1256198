"""A recording in, keywords out, as they come: the active task of a board listens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np

from rbnn.device.answers import ActiveTask
from rbnn.device.errors import DeviceError, LinkError
from rbnn.device.session import Session
from rbnn.device.sound import hearing
from rbnn.device.switching import switch_task
from rbnn.frozen import Frozen
from rbnn.keys.user_key import UserKey
from rbnn.spec import audio
from rbnn.spec.status import Status
from rbnn.tasks.front_end import Pcm

Progress = Callable[[float, float], None]
"""Called with the seconds that the board has heard, and with all of them."""


class Detection(Frozen):
    """A keyword in a recording: the second in which it was heard."""

    label: str
    score: float
    start_s: float
    end_s: float
    first_sample: int
    """At 16 kHz."""


class Work(Frozen):
    """What listening cost the device, for each second of sound; one pair of members is None."""

    front_end_us: float | None
    network_us: float | None
    front_end_instructions: int | None
    network_instructions: int | None


class Listened(Frozen):
    """The whole of a recording, or of what was heard before something failed."""

    task: str
    file: str
    seconds: float
    threshold: float
    detections: tuple[Detection, ...]
    inferences: int
    work: Work | None


def choose_task(session: Session, task: str | None, user_key: Callable[[], UserKey] | None) -> str:
    """Make the task active that shall listen.

    Args:
        session: the board.
        task: its name; None for the active one or, with a key, the only one.
        user_key: reads the key that unlocks it; None if the user gave none.

    Returns:
        The task's name.

    Raises:
        RbnnError: there is no such task, it does not open, or it is not clear which.
    """
    tasks = session.tasks()
    active = next((one.name for one in tasks if one.state == "active"), None)
    name = task or active
    if name is None and user_key is not None:
        if len(tasks) != 1:
            names = ", ".join(one.name for one in tasks)
            error = DeviceError(Status.NO_ACTIVE_TASK, Status.NO_ACTIVE_TASK.text, "audio")
            error.fix = f"Name one with --task; the board has: {names}."
            raise error
        name = tasks[0].name
    if name is None:
        raise DeviceError(Status.NO_ACTIVE_TASK, Status.NO_ACTIVE_TASK.text, "audio")
    if name != active or user_key is not None:
        switch_task(session, name, user_key)
    return name


class Listening:
    """A recording on its way to the board.

    Args:
        session: the board; the task that listens is active.
        task: its name.
        file: the recording's, for the report.
        pcm: the recording, 16 kHz.
        threshold: average score from which a class is detected.
        progress: told after every block.
    """

    def __init__(
        self,
        session: Session,
        task: str,
        file: Path,
        pcm: Pcm,
        threshold: float,
        progress: Progress | None = None,
    ) -> None:
        self._session = session
        self._active: ActiveTask = session.active_task()
        self._task = task
        self._file = file
        self._pcm = pcm
        self._threshold = threshold
        self._progress = progress
        self._found: list[Detection] = []
        self._heard = 0
        self._inferences = 0
        self._us = np.zeros(2)

    def run(self) -> Generator[Detection, None, None]:
        """Send the recording; yield what the board detects as soon as it says so.

        Silence follows the recording, so that its last second is complete. Whatever happens, the
        board forgets the sound afterwards.

        Raises:
            DeviceError: the task takes no sound, or its licence allows no more inferences.
            LinkError: the board was unplugged, or its answers make no sense.
        """
        hearing.start(self._session, self._threshold)
        try:
            sent = np.concatenate((self._pcm, np.zeros(audio.PAD_SAMPLES, np.int16)))
            for start in range(0, len(sent), audio.MAX_BLOCK_SAMPLES):
                block = hearing.hear(self._session, sent[start : start + audio.MAX_BLOCK_SAMPLES])
                yield from self._take(block)
        finally:
            self._forget()

    def _forget(self) -> None:
        """Not if the board no longer answers: the error that said so is the one to show."""
        with contextlib.suppress(DeviceError, LinkError):
            self._session.line.synchronise()
            hearing.stop(self._session)

    def _take(self, block: hearing.Block) -> Iterator[Detection]:
        self._heard = min(block.samples, len(self._pcm))
        self._inferences += block.inferences
        self._us += (block.front_end_us, block.network_us)
        for one in block.detected:
            if one.number >= len(self._active.labels):
                raise LinkError(
                    f"The board detected class {one.number} of {len(self._active.labels)}.",
                    "Write the firmware again: rbnn flash",
                )
            detection = Detection(
                label=self._active.labels[one.number],
                score=one.score,
                start_s=one.first / audio.RATE_HZ,
                end_s=(one.first + audio.CLIP_SAMPLES) / audio.RATE_HZ,
                first_sample=one.first,
            )
            self._found.append(detection)
            yield detection
        if self._progress is not None:
            self._progress(self._heard / audio.RATE_HZ, len(self._pcm) / audio.RATE_HZ)

    def report(self) -> Listened:
        """What was heard so far."""
        seconds = self._heard / audio.RATE_HZ
        return Listened(
            task=self._task,
            file=str(self._file),
            seconds=seconds,
            threshold=self._threshold,
            detections=tuple(self._found),
            inferences=self._inferences,
            work=self._work(seconds) if self._heard else None,
        )

    def _work(self, seconds: float) -> Work:
        front_end, network = (float(us) / seconds for us in self._us)
        counts = [self._session.instructions(us) for us in (front_end, network)]
        real = counts[0] is None
        return Work(
            front_end_us=front_end if real else None,
            network_us=network if real else None,
            front_end_instructions=counts[0],
            network_instructions=counts[1],
        )


def line_of(detection: Detection) -> str:
    """A detection as a line."""
    times = f"{detection.start_s:9.2f} - {detection.end_s:.2f} s"
    return f"{times}  {detection.label}  {detection.score:.1%}"


def summary(listened: Listened) -> list[str]:
    """The end of the output."""
    lines = [
        f"{len(listened.detections)} detected in {listened.seconds:.1f} s of {listened.file}; "
        f"{listened.inferences} inferences, threshold {listened.threshold:g}"
    ]
    work = listened.work
    if work is not None and work.network_instructions is not None:
        lines.append(
            f"A second of sound took {work.front_end_instructions:,} instructions in the front "
            f"end and {work.network_instructions:,} in the network (emulated)."
        )
    elif work is not None and work.front_end_us is not None and work.network_us is not None:
        lines.append(
            f"A second of sound took {work.front_end_us / 1000:.1f} ms in the front end and "
            f"{work.network_us / 1000:.1f} ms in the network."
        )
    return lines
