"""Loading a signed model over the serial line."""

from __future__ import annotations

from collections.abc import Callable

from rbnn.device.errors import LinkError
from rbnn.device.model.held import StaleLicence, refuse_unfit, say_what_ends
from rbnn.device.session import Session
from rbnn.device.target import Say, Target
from rbnn.frozen import Frozen
from rbnn.keys.errors import SignedModelError
from rbnn.keys.models.signed import SignedModel
from rbnn.spec.link import INPUT_BUFFER_BYTES
from rbnn.spec.partition import MODEL_UNIT_BYTES

Progress = Callable[[str, int, int], object]
"""Called as ``progress(what, done, total)``, in bytes."""
ERASE_TIMEOUT_S = 60.0
"""Longest time for erasing the sectors of a model, and for checking all of it."""
STEP_BYTES = INPUT_BUFFER_BYTES // MODEL_UNIT_BYTES * MODEL_UNIT_BYTES


class LoadReport(Frozen):
    """What ``rbnn model load`` did."""

    board: str
    model_id: str
    model_digest: str
    version: int
    """Of the model that the board has now: where it had this one already, that one's."""
    bytes: int
    loaded: bool
    """False if the board had this model already."""
    kept_old: bool
    """Whether the old model stayed until the new one was complete."""
    stale_licences: tuple[StaleLicence, ...]
    device: str
    """X25519 public key, hexadecimal; empty if the board is not enrolled."""

    def summary(self, run: str = "RUN") -> str:
        """A few lines for people; ``run`` is whose model it is, for the commands that follow."""
        has = f"{self.board} has the model {self.model_id[:16]}…, version {self.version}, "
        if not self.loaded:
            return f"{has}already."
        lines = [
            f"{has}{self.bytes:,} bytes.",
            "Power-cycle it, then license it:",
            f"  rbnn license issue {run} --device {self.device[:16] or 'DEVICE'} --user-key PATH",
            f"  rbnn license install FILES --board {self.board} --keep",
        ]
        return "\n".join(lines)


def load_model(
    target: Target,
    model: SignedModel,
    say: Say,
    progress: Progress | None = None,
    *,
    replace: bool = False,
) -> LoadReport:
    """Give a running board a new model, restart it, and check that it has it.

    Args:
        target: the board.
        model: the new model.
        say: told which licences end.
        progress: told how many bytes were sent.
        replace: give the old model up first where there is no room for both.

    Raises:
        RbnnError: the board refuses, or the line fails. Unless ``replace`` was needed, it then has
            its old model.
    """
    container = model.container
    with target.open() as session:
        held = refuse_unfit(session, target.board, model)
        identity = session.identify()
        has_it = identity.model_digest == container.digest.hex()
        ended = say_what_ends(session, model, say)
        keeps = has_it or send_model(session, model, progress, replace=replace)
        if not has_it:
            session.reset()
            found = session.identify()
            if found.model_digest != container.digest.hex():
                raise SignedModelError(
                    f"The board has the model {found.model_digest[:16] or 'none'}… after its "
                    f"restart, not {container.digest.hex()[:16]}….",
                    "Run it again.",
                )
    return LoadReport(
        board=target.board.name,
        model_id=container.model_id.hex(),
        model_digest=container.digest.hex(),
        version=held.version if has_it else model.version,
        bytes=len(model.data),
        loaded=not has_it,
        kept_old=keeps,
        stale_licences=ended,
        device=identity.public,
    )


def send_model(
    session: Session,
    model: SignedModel,
    progress: Progress | None = None,
    *,
    replace: bool = False,
) -> bool:
    """Send a model; it counts from the board's next start.

    Returns:
        Whether the old one was kept until then.

    Raises:
        DeviceError: the board refuses: its status says why.
        LinkError: the line fails.
    """
    begin = "model replace" if replace else "model load"
    answer = session.ask(begin, ERASE_TIMEOUT_S, data=model.header)
    *_, kept = answer.fields(answer.one("model-load"), 3)
    data = model.container.data
    try:
        for start in range(0, len(data), STEP_BYTES):
            if progress is not None:
                progress("sending the model", start, len(data))
            answer = session.ask(f"model {start}", data=data[start : start + STEP_BYTES])
            written, total, _ = answer.fields(answer.one("model-load"), 3)
            end = min(start + STEP_BYTES, len(data))
            if (answer.number(written), answer.number(total)) != (end, len(data)):
                raise answer.nonsense(f"{written} of {total} bytes instead of {end}")
        if progress is not None:
            progress("checking the model", len(data), len(data))
        answer = session.ask("model end", ERASE_TIMEOUT_S)
    except LinkError as error:
        if kept != "keeps":
            error.fix += " The board has no model now: load it again."
        raise
    if answer.number(answer.one("model-loaded")) != model.version:
        raise answer.nonsense("another version than the one that was sent")
    return kept == "keeps"
