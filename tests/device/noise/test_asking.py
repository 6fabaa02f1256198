"""Single damages of the line: what is asked again, and what is told to the caller."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from scripted_device import ScriptedDevice

from rbnn.device.errors import DeviceError, NoiseError
from rbnn.device.session import Session
from rbnn.spec.status import Status

Make = Callable[..., ScriptedDevice]
LOCKED = "m-task-[0,digits,10,locked]"
UNREAD = f"e-[{Status.UNKNOWN_COMMAND.line}]"
LAPS = "m-lap-us-1\nm-lap-us-2"


@pytest.mark.parametrize(
    "damaged",
    [
        "m-task-[0,digjts,10,locked]",
        "m-task-[0,digits,90,locked]",
        "m-task-[0,digits,10,lo\x07ked]",
        "m-tisk-[0,digits,10,locked]",
        "x-task-[0,digits,10,locked]",
        "e-[argument: what noise may do to a command]",
        UNREAD,
        "",
    ],
)
def test_an_answer_counts_once_it_has_come_twice(device: Make, damaged: str) -> None:
    far = device(tasks=[damaged, LOCKED, LOCKED])
    with Session(far.path) as session:
        (task,) = session.tasks()
    assert (task.name, task.classes, task.state) == ("digits", 10, "locked")


def test_answers_of_which_no_two_are_alike_are_an_error(device: Make) -> None:
    far = device(tasks=[f"m-task-[0,digits,{n},locked]" for n in range(2, 60)])
    with Session(far.path) as session, pytest.raises(NoiseError, match="damages data"):
        session.tasks()


def test_a_refusal_counts_once_it_has_come_twice(device: Make) -> None:
    far = device(labels=f"e-[{Status.NO_ACTIVE_TASK.line}]")
    with Session(far.path) as session, pytest.raises(DeviceError) as caught:
        session.active_task()
    assert caught.value.status is Status.NO_ACTIVE_TASK
    assert far.received.count("labels") == 2


def test_scores_that_changed_on_the_way_are_not_taken_for_right(device: Make) -> None:
    far = device(
        db=lambda command: "",
        crc="m-crc-[352441c2]",
        infer=f"{LAPS}\nm-infer-done\nm-results-[0.900000,0.100000]",
        results="m-results-[0.400000,0.600000]",
    )
    with Session(far.path) as session:
        assert session.infer(b"abc").scores == (0.4, 0.6)


def test_a_command_that_did_not_arrive_is_sent_again(device: Make) -> None:
    far = device(switch=[UNREAD, f"{LAPS}\nm-active-[digits]"])
    with Session(far.path) as session:
        assert session.switch("digits") == 1
    assert far.received.count("switch digits") == 2


def test_a_command_whose_answer_is_damaged_is_not_sent_again(device: Make) -> None:
    far = device(switch="m-lap-us-1\nm-lap-us-2\nm-active-[dig\x01ts]")
    with Session(far.path) as session, pytest.raises(NoiseError, match="`switch digits`") as caught:
        session.switch("digits")
    assert far.received.count("switch digits") == 1
    assert "rbnn board status" in caught.value.fix


@pytest.mark.parametrize("command", ["switch", "unlock"])
def test_another_task_than_the_one_that_was_meant_is_refused(device: Make, command: str) -> None:
    far = device(switch=f"{LAPS}\nm-active-[digit5]", unlock="m-unlocked-[digit5]")
    with Session(far.path) as session, pytest.raises(NoiseError, match="digit5"):
        session.switch("digits") if command == "switch" else session.unlock("digits", bytes(32))


def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(device: Make) -> None:
    def slow(command: str) -> str:
        time.sleep(0.6)
        return "m-stack-[1,2]"

    far = device(stack=slow, lock="m-locked")
    with Session(far.path) as session:
        with pytest.raises(NoiseError, match="No answer"):
            session.line.ask("stack", 0.2)
        assert session.ask("lock").lines == ("m-locked",)


def test_a_half_line_is_not_run_by_what_is_sent_after_it(device: Make) -> None:
    far = device(stack="m-stack-[1,2]")
    with Session(far.path) as session:
        session.line.write(b"infer 1 0")
        session.line.distrust()
        assert session.stack().used == 1
    assert not [command for command in far.received if command.startswith("infer")]
