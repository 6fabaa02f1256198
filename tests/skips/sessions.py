"""The sessions in which instructions are left out, and what counts as an opened device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from campaign import Outcome, Session, Step
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from emulated_core import EmulatedCore, End
from licensed_world import Device, key_bytes, make_device, store_bytes

from rbnn.container.container import Container
from rbnn.image.board import Board
from rbnn.keys import licence, provisioning
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec import kdf
from rbnn.spec.key_stream import stream_key

PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
USER = UserKey(Secret(key_bytes("user")))
OPEN, LOCKED = "colour", "grey"
"""The tasks of the model: one that the user may use, and one that they may not."""
LIMIT = 1
HEX_BYTES = 512
RESULTS = "m-results-["


@dataclass(frozen=True)
class Chip:
    """A firmware with a model, and a device that holds licences for both of its tasks."""

    elf: Path
    board: Board
    container: Container
    secrets: dict[str, bytes]
    device: Device
    pattern: bytes
    licences: dict[str, licence.Licence]

    def power_on(self) -> EmulatedCore:
        """The device before its first instruction."""
        partition = provisioning.build(self.device.helper_record, list(self.licences.values()))
        store = store_bytes(self.device)
        return EmulatedCore(self.elf, self.board, self.pattern, partition, store)

    def unlock(self, task: str, user: UserKey = USER) -> bytes:
        """The command that unlocks a task."""
        psk = user.psk(self.licences[task].licence_id)
        return f"unlock {task} {psk.hex()}%".encode()

    def image(self, number: int, channels: int) -> tuple[bytes, ...]:
        """The commands that load a random image."""
        height, width, _ = self.container.topology.input_shape
        pixels = np.random.default_rng(number).bytes(height * width * channels)
        parts = [pixels[at : at + HEX_BYTES] for at in range(0, len(pixels), HEX_BYTES)]
        load = f"db load {len(pixels)}%".encode()
        return (load, *(b"db " + part.hex().encode() + b"%" for part in parts))

    def keys(self, task: str) -> list[bytes]:
        """What nobody may have without the user's key: the task's secret and its keys."""
        secret, model = self.secrets[task], self.container.model_id
        return [secret, stream_key(secret, model), kdf.derive(secret, kdf.Label.PARAMS, model)]


def make_chip(elf: Path, board: Board, container: Container, secrets: dict[str, bytes]) -> Chip:
    """License both tasks of a model of ``PROVIDER``'s for one device."""
    device = make_device(1)
    licences = {
        task.name: licence.issue(
            PROVIDER,
            device.public,
            USER,
            container.model_id,
            container.digest,
            number,
            secrets[task.name],
            sequence=number + 1,
            inference_limit=LIMIT if task.name == OPEN else 0,
        )
        for number, task in enumerate(container.tasks)
    }
    pattern = device.fingerprint.power_up(0.1, np.random.default_rng(4))
    return Chip(elf, board, container, secrets, device, pattern, licences)


def results(printed: str | list[str]) -> list[str]:
    """The scores in what was printed."""
    lines = printed.split("\r\n") if isinstance(printed, str) else printed
    return [line for line in lines if line.startswith(RESULTS)]


def ask(core: EmulatedCore, *commands: bytes) -> list[str]:
    """Scores that a device prints on the way through some commands."""
    core.printed.clear()
    assert core.run() is End.WAITS
    for command in commands:
        core.feed(command)
        assert core.run() is End.WAITS
    return results(core.printed.decode())


INFER = b"infer 1 0%"


def wrong_key(chip: Chip) -> tuple[Session, Callable[[Outcome], str]]:
    """The other task is open; ``grey`` is unlocked with a wrong key, switched to, and asked.

    Usable: its right scores are printed. Keys: they are in RAM.
    """
    image = chip.image(1, 1)
    right = ask(chip.power_on(), chip.unlock(LOCKED), b"switch grey%", *image, INFER)
    stranger = UserKey(Secret(key_bytes("stranger")))
    steps = [
        Step("start", (b"",), skipped=True),
        Step("open the other task", (chip.unlock(OPEN), b"switch colour%")),
        Step("unlock with a wrong key", (chip.unlock(LOCKED, stranger),), skipped=True),
        Step("switch to the locked task", (b"switch grey%",), skipped=True),
        Step("load", image),
        Step("infer", (INFER,), skipped=True),
    ]
    keys = chip.keys(LOCKED)

    def judge(outcome: Outcome) -> str:
        if set(results(outcome.printed)) & set(right):
            return "usable"
        if any(key in outcome.ram for key in keys):
            return "keys"
        if outcome.end is not End.WAITS:
            return outcome.end.value
        return "other scores" if results(outcome.printed) else "refused"

    return Session(chip.power_on(), steps), judge


def over_limit(chip: Chip) -> tuple[Session, Callable[[Outcome], str]]:
    """``colour`` may be asked once, and is asked three times, about three images.

    Bypassed: the right scores of more than one are printed.
    """
    images = [chip.image(number, 3) for number in range(3)]
    opened = (chip.unlock(OPEN), b"switch colour%")
    steps = [
        Step("start", (b"",), skipped=True),
        Step("unlock", opened[:1], skipped=True),
        Step("switch", opened[1:], skipped=True),
        Step("load 1", images[0]),
        Step("infer within the limit", (INFER,), skipped=True),
        Step("load 2", images[1]),
        Step("infer beyond the limit", (INFER,), skipped=True),
        Step("load 3", images[2]),
        Step("infer again", (INFER,)),
    ]
    return _more_than_the_limit(chip, opened, images, steps)


def over_activations(chip: Chip) -> tuple[Session, Callable[[Outcome], str]]:
    """``colour`` may be made active once, and is twice, with another task in between.

    Bypassed: right scores are printed after both.
    """
    number = [task.name for task in chip.container.tasks].index(OPEN)
    limited = licence.issue(
        PROVIDER,
        chip.device.public,
        USER,
        chip.container.model_id,
        chip.container.digest,
        number,
        chip.secrets[OPEN],
        sequence=9,
        activation_limit=LIMIT,
    )
    chip = replace(chip, licences={**chip.licences, OPEN: limited})
    images = [chip.image(number, 3) for number in range(2)]
    opened = (chip.unlock(OPEN), b"switch colour%")
    steps = [
        Step("start", (b"",), skipped=True),
        Step("unlock", opened[:1], skipped=True),
        Step("switch within the limit", opened[1:], skipped=True),
        Step("load 1", images[0]),
        Step("infer", (INFER,), skipped=True),
        Step("leave", (chip.unlock(LOCKED), b"switch grey%")),
        Step("switch beyond the limit", opened[1:], skipped=True),
        Step("load 2", images[1]),
        Step("infer again", (INFER,), skipped=True),
    ]
    return _more_than_the_limit(chip, opened, images, steps)


def _more_than_the_limit(
    chip: Chip,
    opened: tuple[bytes, ...],
    images: Sequence[tuple[bytes, ...]],
    steps: list[Step],
) -> tuple[Session, Callable[[Outcome], str]]:
    """A session that gives the right scores of one image, and what counts as bypassed: more."""
    right = {ask(chip.power_on(), *opened, *image, INFER)[0] for image in images}
    assert len(right) == len(images)
    session = Session(chip.power_on(), steps)
    allowed = {
        name: set(results(text))
        for name, text in zip((step.name for step in steps), session.printed, strict=True)
    }
    assert len(set().union(*allowed.values()) & right) == LIMIT

    def judge(outcome: Outcome) -> str:
        names = [step.name for step in steps]
        before = names[: names.index(outcome.skip.step)]
        had: set[str] = set().union(*(allowed[name] for name in before))
        given = (had | set(results(outcome.printed))) & right
        if len(given) > LIMIT:
            return "bypassed"
        return "refused" if outcome.end is End.WAITS else outcome.end.value

    return session, judge
