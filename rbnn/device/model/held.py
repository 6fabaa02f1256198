"""What a board says about its model partition, and whether a new model belongs there."""

from __future__ import annotations

from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.device.target import Say
from rbnn.frozen import Frozen
from rbnn.image.board import Board
from rbnn.image.errors import FitError
from rbnn.keys.errors import SignedModelError
from rbnn.keys.models.signed import Needs, SignedModel, is_signed_by, needs
from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.status import Status

_MOST = 0xFFFFFFFF


class HeldModel(Frozen):
    """The answer to ``model show``.

    ``version`` is that of the newest model in the partition, 0 for none; ``most`` what the firmware
    has for a model.
    """

    address: int
    size: int
    sector_bytes: int
    writable: bool
    key: bytes
    version: int
    most: tuple[int, int, int, int]


class StaleLicence(Frozen):
    """A licence on a board for a model that it does not have any more."""

    task: str
    """As the old model named it; ``-`` once that is gone."""
    sequence: int


def ask_held(session: Session) -> HeldModel:
    """Ask a board about its model partition.

    Raises:
        SignedModelError: its firmware has the model in its image.
        DeviceError: it refuses.
    """
    try:
        answer = session.query("model show")
    except DeviceError as error:
        if error.status is not Status.UNKNOWN_COMMAND:
            raise
        raise SignedModelError(
            "The firmware of this board has its model in its image, not in a partition.",
            "Write it once with: rbnn flash --partition --user-key PATH",
        ) from error
    where = answer.fields(answer.one("partition"), 4)
    most = answer.fields(answer.one("model-most"), 4)
    version = answer.optional("model-version")
    arena, work, params, tasks = (answer.number(text, most=_MOST) for text in most)
    return HeldModel(
        address=answer.number(where[0], 16, most=_MOST),
        size=answer.number(where[1], most=_MOST),
        sector_bytes=answer.number(where[2], least=1, most=_MOST),
        writable=where[3] == "writable",
        key=answer.hexadecimal(answer.one("model-key"), KEY_BYTES),
        version=answer.number(version, most=_MOST) if version else 0,
        most=(arena, work, params, tasks),
    )


def refuse_unfit(session: Session, board: Board, model: SignedModel) -> HeldModel:
    """Refuse a model that the board would refuse, before anything is written.

    Raises:
        SignedModelError: it has no partition, or one elsewhere; or it takes another provider's
            models only.
        FitError: it has not enough memory for the model.
    """
    held = ask_held(session)
    if board.model is None or (held.address, held.size) != (
        board.model.address,
        board.model.bytes,
    ):
        raise SignedModelError(
            f"The model partition of this board's firmware is at {held.address:#010x}, "
            f"{held.size:,} bytes; the manifest of {board.name} says something else.",
            "Write the firmware again: rbnn flash --partition --user-key PATH",
        )
    if not is_signed_by(model, held.key):
        raise SignedModelError(
            f"The firmware of this board takes models of the provider {held.key.hex()[:16]}… only, "
            "who has not signed this one.",
            "Sign it with that provider's key: --provider-key PATH; or write the firmware for "
            "yours: rbnn flash --partition",
        )
    if missing := Needs(*held.most).missing(needs(model.container)):
        raise FitError(
            f"The model needs more than this firmware has for it: {'; '.join(missing)}.",
            "Write firmware for this model: rbnn flash --partition --user-key PATH",
        )
    if len(model.data) > held.size:
        raise FitError(
            f"The signed model has {len(model.data):,} bytes; the partition has {held.size:,}.",
            "Train a smaller network, or choose a larger board.",
        )
    return held


def say_what_ends(session: Session, model: SignedModel, say: Say) -> tuple[StaleLicence, ...]:
    """Name the licences on a board that a new model makes useless.

    Args:
        session: the board, with its old model.
        model: the new one.
        say: told which licences do not open it.
    """
    identity = session.identify()
    if identity.model_digest in ("", model.container.digest.hex()):
        return ()
    ended = tuple(StaleLicence(task=one.task, sequence=one.sequence) for one in session.licences())
    if ended:
        named = ", ".join(f"{one.task} (licence {one.sequence})" for one in ended)
        say(
            f"Licences for the old model {identity.model_id[:16]}… do not open the new model "
            f"{model.container.model_id.hex()[:16]}…: {named}."
        )
    return ended
