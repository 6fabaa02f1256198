"""The serial session against a device that answers from a script."""

from __future__ import annotations

import binascii
import time
from collections.abc import Callable

import pytest
from scripted_device import ScriptedDevice

from rbnn.device.errors import DeviceError, LinkError, PortError
from rbnn.device.line import SYNC_TRY_S, SerialLine
from rbnn.device.noise.asking import LOAD_TRIES
from rbnn.device.session import Session
from rbnn.spec import link
from rbnn.spec.layout import HELPER_RECORD_BYTES, LICENCE_BYTES
from rbnn.spec.status import Status

Make = Callable[..., ScriptedDevice]


class Buffer:
    """The ``db`` and ``crc`` commands, damaging the first ``damaged`` loads."""

    def __init__(self, damaged: int = 0) -> None:
        self.data = b""
        self.loads = 0
        self.damaged = damaged

    def db(self, command: str) -> str:
        words = command.split()
        if words[1] == "load":
            self.loads += 1
            self.data = b""
            return f"m-[Expecting {words[2]} bytes]"
        self.data += bytes.fromhex(words[1])
        return ""

    def crc(self, command: str) -> str:
        wrong = 1 if self.loads <= self.damaged else 0
        return f"m-crc-[{binascii.crc32(self.data) ^ wrong:08x}]"


def test_synchronise_drops_boot_lines_and_half_typed_lines(device: Make) -> None:
    far = device(raw=b"m-init-done\r\nm-ready\r\nhalf a li")
    with Session(far.path) as session:
        assert session.board_name == "qemu"
        assert session.ask("name").one("name-dut") == "qemu"


def test_answers_to_repeated_questions_are_awaited(device: Make) -> None:
    pauses = iter((1.2 * SYNC_TRY_S, 0.4))

    def name(command: str) -> str:
        time.sleep(next(pauses, 0.0))
        return "m-name-dut-[qemu]"

    far = device(name=name, id="m-protection-[none]\nm-puf-[fresh]")
    with Session(far.path) as session:
        assert session.ask("id").one("puf") == "fresh"
    assert far.received.count("name") >= 2


def test_silence_names_the_port(device: Make) -> None:
    far = device(name=lambda command: None, **{"": lambda command: None})
    with (
        SerialLine(far.path) as line,
        pytest.raises(LinkError, match=r"No rbnn firmware answers on /dev/.*silence"),
    ):
        line.synchronise(timeout_s=0.5)


def test_foreign_firmware_is_quoted(device: Make) -> None:
    far = device(name="hello there")
    with SerialLine(far.path) as line, pytest.raises(LinkError, match="it said 'm-ready'"):
        line.synchronise(timeout_s=2.0)


def test_second_program_is_refused(device: Make) -> None:
    far = device()
    with Session(far.path), pytest.raises(PortError, match="in use by another program"):
        Session(far.path)
    with Session(far.path) as session:
        assert session.board_name == "qemu"


def test_missing_port_is_named() -> None:
    with pytest.raises(PortError, match="/dev/nonesuch"):
        Session("/dev/nonesuch")


def test_identify(device: Make) -> None:
    far = device(
        id="m-firmware-[0.1.0]\nm-build-[release]\nm-board-[qemu]\nm-model-id-[" + "0f" * 16 + "]\n"
        f"m-model-digest-[{'aa' * 32}]\n"
        "m-protection-[none]\nm-puf-[fresh]"
    )
    with Session(far.path) as session:
        identity = session.identify()
    assert (identity.board, identity.puf, identity.public) == ("qemu", "fresh", "")
    assert identity.build == "release"


def test_tasks_and_licences(device: Make) -> None:
    far = device(
        tasks="m-task-[0,digits,10,locked]\nm-task-[1,words,10,unlicensed]",
        licences=f"m-licence-[0,digits,{'ab' * 16},7,flash]",
    )
    with Session(far.path) as session:
        assert [(task.name, task.state) for task in session.tasks()] == [
            ("digits", "locked"),
            ("words", "unlicensed"),
        ]
        (licence,) = session.licences()
    assert (licence.licence_id, licence.sequence, licence.place) == ("ab" * 16, 7, "flash")


def test_load_checks_the_crc_and_sends_again(device: Make) -> None:
    buffer = Buffer(damaged=1)
    far = device(db=buffer.db, crc=buffer.crc)
    data = bytes(range(256)) * 5
    with Session(far.path) as session:
        session.load(data)
    assert (buffer.data, buffer.loads) == (data, 2)
    assert max(len(command) for command in far.received) <= link.MAX_COMMAND_BYTES


def test_load_that_stays_damaged_is_an_error(device: Make) -> None:
    buffer = Buffer(damaged=LOAD_TRIES)
    far = device(db=buffer.db, crc=buffer.crc)
    with Session(far.path) as session, pytest.raises(LinkError, match="arrived wrong 8 times"):
        session.load(b"12345")
    assert buffer.loads == LOAD_TRIES


def test_buffer_too_small_is_the_devices_error(device: Make) -> None:
    far = device(db="e-[buffer-size: the size is zero or larger than the buffer]")
    with Session(far.path) as session, pytest.raises(DeviceError) as caught:
        session.load(b"12345")
    assert caught.value.status is Status.BUFFER_SIZE


def test_infer(device: Make) -> None:
    buffer = Buffer()
    far = device(
        db=buffer.db,
        crc=buffer.crc,
        infer="m-warmup-start-2\nm-warmup-done\nm-infer-start-4\nm-lap-us-1000\nm-lap-us-1400\n"
        "m-infer-done\nm-results-[0.25,0.75]",
        results="m-results-[0.25,0.75]",
    )
    with Session(far.path) as session:
        inference = session.infer(b"image", n=4, warm_ups=2)
        assert session.results() == inference.scores
    assert (inference.us, inference.best) == (100.0, 1)
    assert "infer 4 2" in far.received


def test_active_task(device: Make) -> None:
    far = device(labels="m-input-[32,32,1]\nm-label-[0,yes]\nm-label-[1,no, thanks]")
    with Session(far.path) as session:
        task = session.active_task()
    assert task.input_shape == (32, 32, 1)
    assert task.labels == ("yes", "no, thanks")


def test_trace(device: Make) -> None:
    buffer = Buffer()
    far = device(
        db=buffer.db,
        crc=buffer.crc,
        trace="m-layer-[0,stem,12345,deadbeef]\nm-layer-[1,dense,99,00000001]\n"
        "m-results-[1.0]\nm-ticks-hz-[25000000]",
    )
    with Session(far.path) as session:
        trace = session.trace(b"image")
    assert [layer.crc32 for layer in trace.layers] == [0xDEADBEEF, 1]
    assert trace.ticks_hz == 25_000_000


def test_enroll_joins_the_helper_data(device: Make) -> None:
    record = bytes(i % 251 for i in range(HELPER_RECORD_BYTES))
    step = link.HEX_BYTES_PER_LINE
    lines = [
        f"m-helper-[{start},{record[start : start + step].hex()}]"
        for start in range(0, len(record), step)
    ]
    lines += [f"m-public-[{'11' * 32}]", f"m-sign-public-[{'22' * 32}]"]
    far = device(enroll="\n".join(lines))
    with Session(far.path) as session:
        enrolment = session.enroll()
    assert enrolment.record == record
    assert enrolment.public == b"\x11" * 32


def test_enroll_refuses_missing_helper_data(device: Make) -> None:
    far = device(enroll=f"m-helper-[0,00]\nm-public-[{'11' * 32}]\nm-sign-public-[{'22' * 32}]")
    with (
        Session(far.path) as session,
        pytest.raises(LinkError, match=f"1 of {HELPER_RECORD_BYTES} bytes"),
    ):
        session.enroll()


def test_device_error_has_status_and_fix_and_the_line_keeps_working(device: Make) -> None:
    far = device(
        unlock="e-[licence-refused: the licence does not open with this key on this device]",
        lock="m-locked",
    )
    with Session(far.path) as session:
        with pytest.raises(DeviceError) as caught:
            session.unlock("digits", b"\x5a" * 32)
        session.lock()
    assert caught.value.status is Status.LICENCE_REFUSED
    assert caught.value.fix
    assert "5a5a" not in str(caught.value)
    assert f"unlock digits {'5a' * 32}" in far.received


def test_timeout_says_what_was_sent_but_no_key(device: Make) -> None:
    far = device(unlock=lambda command: None)
    with Session(far.path) as session, pytest.raises(LinkError) as caught:
        session.line.ask(f"unlock digits {'5a' * 32}", timeout_s=0.3)
    assert "`unlock digits <key>`" in caught.value.what
    assert "5a5a" not in str(caught.value)


def test_timeout_counts_silence_not_the_whole_answer(device: Make) -> None:
    far = device(help=lambda command: None)
    with Session(far.path) as session:
        answer: list[str] = []

        def slow_answer() -> None:
            for i in range(4):
                time.sleep(0.6)
                far.send(f"line {i}\r\n".encode())
            far.send(b"m-ready\r\n")

        far.answers["help"] = lambda command: slow_answer()
        answer.extend(session.line.ask("help", timeout_s=2.0))
    assert answer == ["line 0", "line 1", "line 2", "line 3"]


def test_lines_of_a_restart_are_not_taken_for_an_answer(device: Make) -> None:
    far = device(lock="m-locked")
    with Session(far.path) as session:
        far.send(b"m-init-done\r\nm-ready\r\n")
        time.sleep(0.1)
        assert session.ask("lock").lines == ("m-locked",)


@pytest.mark.parametrize("command", ["a%b", "x" * (link.MAX_COMMAND_BYTES + 1)])
def test_unsendable_commands_are_not_sent(device: Make, command: str) -> None:
    far = device()
    with Session(far.path) as session:
        before = len(far.received)
        with pytest.raises(LinkError, match="cannot be sent"):
            session.ask(command)
        assert len(far.received) == before


def test_wrong_licence_size_is_refused_before_sending(device: Make) -> None:
    far = device()
    with Session(far.path) as session, pytest.raises(LinkError, match=f"{LICENCE_BYTES} bytes"):
        session.add_licence(b"short")
