"""What a flashed board refuses on its serial line: resets, garbage, bad commands and inputs."""

from __future__ import annotations

import random

import pytest
from flashed_board import TASK, Flashed, assert_answers, quiet, refused, unlock_on

from rbnn.device.enrolment import recognise
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.keys.errors import RegistryError
from rbnn.keys.registry import Registry
from rbnn.spec import link
from rbnn.spec.status import Status

pytestmark = pytest.mark.qemu


def test_warm_reset_without_a_power_cycle(flashed: Flashed) -> None:
    target = flashed.copy("warm")
    target.power_cycle()
    with target.open() as session:
        switch_task(session, TASK, lambda: flashed.user_key)
        for press in (session.reset, target.emulator.warm_reset):
            press()
            session.line.synchronise()
            assert session.identify().puf == "power-cycle"
            psk = flashed.psk(session)
            assert refused(session.unlock, TASK, psk) is Status.POWER_CYCLE
            assert refused(session.switch, TASK) in (Status.LOCKED, Status.POWER_CYCLE)
            assert refused(session.enroll) in (Status.POWER_CYCLE, Status.ENROLLED)
            assert_answers(session)
    assert unlock_on(target, flashed) is Status.OK


def test_garbage_on_the_line(session: Session, flashed: Flashed) -> None:
    rng = random.Random(11)
    before = session.identify()
    for size in (1, 40, 400, 4000):
        session.line.write(rng.randbytes(size))
        session.line.write(b"unlock colour " + rng.randbytes(64) + b"%db load 99999999999%")
        session.line.synchronise()
        assert session.identify() == before
        assert {task.state for task in session.tasks()} == {"locked"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("frobnicate", Status.UNKNOWN_COMMAND),
        ("infer 0", Status.ARGUMENT),
        ("infer one", Status.ARGUMENT),
        ("infer 4294967295", Status.ARGUMENT),
        ("infer 1", Status.NO_ACTIVE_TASK),
        ("trace", Status.NO_ACTIVE_TASK),
        ("labels", Status.NO_ACTIVE_TASK),
        ("db load 0", Status.BUFFER_SIZE),
        (f"db load {link.INPUT_BUFFER_BYTES + 1}", Status.BUFFER_SIZE),
        ("db 0", Status.ARGUMENT),
        ("db 00", Status.BUFFER_SIZE),
        ("switch", Status.ARGUMENT),
        ("switch nope", Status.UNKNOWN_TASK),
        ("unlock colour 00", Status.ARGUMENT),
        (f"unlock colour {'zz' * 32}", Status.ARGUMENT),
        (f"unlock nope {'00' * 32}", Status.UNKNOWN_TASK),
        ("enroll", Status.ENROLLED),
    ],
)
def test_bad_commands(session: Session, command: str, expected: Status) -> None:
    assert refused(session.ask, command) is expected


def test_lines_that_are_too_long(session: Session) -> None:
    session.line.write(b"x" * (link.MAX_COMMAND_BYTES + 50) + b"%")
    seen = [session.line.read_line(5.0) for _ in range(2)]
    assert seen[0] is not None
    assert seen[0].startswith("e-[line-too-long")
    assert seen[1] == link.READY


def test_bad_digits_empty_the_buffer(session: Session) -> None:
    session.ask("db load 2")
    session.ask("db 01")
    assert refused(session.ask, "db zz") is Status.ARGUMENT
    assert session.ask("db print").lines == ()
    assert refused(session.ask, "db 02") is Status.BUFFER_SIZE


def test_an_input_of_the_wrong_size(session: Session, flashed: Flashed) -> None:
    switch_task(session, TASK, lambda: flashed.user_key)
    assert refused(session.infer, b"\0" * 7) is Status.BUFFER_INCOMPLETE
    session.ask("db load 3072")
    session.ask("db 0011")
    with pytest.raises(DeviceError, match="expected 3072 bytes, received 2") as caught:
        session.ask("infer 1 0")
    assert "db load" in caught.value.fix


def test_an_unknown_task_lists_the_known_ones(session: Session) -> None:
    with pytest.raises(DeviceError) as caught:
        switch_task(session, "nope", None)
    assert caught.value.status is Status.UNKNOWN_TASK
    assert "colour, grey" in caught.value.fix


def test_a_device_of_another_registry(session: Session, flashed: Flashed) -> None:
    with (
        Registry.open(flashed.folder / "stranger.sqlite") as registry,
        pytest.raises(RegistryError, match="not in this registry"),
    ):
        recognise(session, "qemu", registry, quiet)
