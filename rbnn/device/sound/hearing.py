"""The commands of a device that listens (``audio`` of the serial grammar) as functions."""

from __future__ import annotations

from rbnn.device.answers import Answer
from rbnn.device.errors import DeviceError
from rbnn.device.session import INFERENCE_TIMEOUT_S, Session
from rbnn.frozen import Frozen
from rbnn.spec import audio
from rbnn.spec.layout import MAX_CLASSES
from rbnn.spec.scores import PPM
from rbnn.spec.status import Status
from rbnn.tasks.front_end import Pcm


class Detected(Frozen):
    """One ``m-detected-[...]`` line."""

    first: int
    """First sample of the second in which it was heard, counted from the start of the stream."""
    number: int
    """Of the class."""
    score: float


class Block(Frozen):
    """What the device says to one block of samples."""

    samples: int
    """Since the stream began."""
    columns: int
    inferences: int
    """Of this block, as the times."""
    front_end_us: int
    network_us: int
    detected: tuple[Detected, ...]


def start(session: Session, threshold: float = audio.THRESHOLD_PPM / PPM) -> None:
    """Begin a stream; nothing of an earlier one stays.

    Args:
        session: a board whose active task takes sound.
        threshold: average score from which a class is detected, more than 0 and at most 1.

    Raises:
        DeviceError: no task is active, or it takes no sound.
    """
    _ask(session, f"audio start {max(1, round(threshold * PPM))}")


def hear(session: Session, pcm: Pcm) -> Block:
    """Give the device the next samples, at most ``MAX_BLOCK_SAMPLES``.

    Raises:
        DeviceError: the device refuses them; the stream is then over.
        LinkError: the line damages data, or the answer makes no sense.
    """
    if not 1 <= len(pcm) <= audio.MAX_BLOCK_SAMPLES:
        raise ValueError(f"1 to {audio.MAX_BLOCK_SAMPLES} samples. Received: {len(pcm)}")
    answer = _ask(session, f"audio {len(pcm)}", pcm.astype("<i2").tobytes())
    samples, columns, inferences, front_end, network = (
        answer.number(field) for field in answer.fields(answer.one("audio"), 5)
    )
    return Block(
        samples=samples,
        columns=columns,
        inferences=inferences,
        front_end_us=front_end,
        network_us=network,
        detected=tuple(_detected(answer, value) for value in answer.all("detected")),
    )


def stop(session: Session) -> None:
    """Have the device forget all that it has heard."""
    _ask(session, "audio stop")


def _detected(answer: Answer, value: str) -> Detected:
    first, number, score = answer.fields(value, 3)
    try:
        found = float(score)
    except ValueError:
        found = -1.0
    if not 0.0 <= found <= 1.0:
        raise answer.nonsense(f"the score {score[:40]!r}")
    return Detected(
        first=answer.number(first),
        number=answer.number(number, most=MAX_CLASSES - 1),
        score=found,
    )


def _ask(session: Session, command: str, data: bytes | None = None) -> Answer:
    try:
        return session.ask(command, INFERENCE_TIMEOUT_S, data=data)
    except DeviceError as error:
        if error.status is Status.UNKNOWN_COMMAND:
            error.what = "This board cannot listen: no task of its model takes sound."
            error.fix = (
                "Train a model with a task of sounds and write it: rbnn flash; one from before "
                "the board could listen has to be trained again. Single clips: rbnn infer"
            )
        elif error.status is Status.NO_SOUND:
            error.fix = "Switch to a task of sounds: rbnn switch TASK --user-key PATH"
        raise
