"""The command grammar without a model: golden answers, and every error path of the line."""

from __future__ import annotations

import binascii

import pytest
from host_firmware import HostFirmware, error_name

from rbnn import __version__
from rbnn.spec import link


def test_boot_lines(bare: HostFirmware) -> None:
    assert bare.boot == ["m-init-done"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("name", ["m-name-dut-[host]"]),
        ("profile", [f"m-profile-[RBNN firmware {__version__}]", "m-model-[none]"]),
        ("db load 3", ["m-[Expecting 3 bytes]"]),
        ("db print", []),
        ("lock", ["m-locked"]),
        ("stack", ["m-stack-[0,0]"]),
        (
            "id",
            [
                f"m-firmware-[{__version__}]",
                "m-build-[development]",
                "m-board-[host]",
                "m-protection-[none]",
                "m-puf-[fresh]",
            ],
        ),
        ("", []),
        ("\r\n\r\nname\r\n", ["m-name-dut-[host]"]),
        ("  name  ", ["m-name-dut-[host]"]),
        ("nane\x08\x08me", ["m-name-dut-[host]"]),
    ],
)
def test_golden_answers(bare: HostFirmware, command: str, answer: list[str]) -> None:
    assert bare.ask(command) == answer


def test_help_lists_every_command_of_the_specification(bare: HostFirmware) -> None:
    words = [line[len("m-help-[") :].partition(":")[0].split()[0] for line in bare.ask("help")]
    common = (one for one in link.COMMANDS if not one.for_sound and not one.for_partition)
    assert sorted(words) == sorted(one.word for one in common)


def test_timestamp_counts_up(bare: HostFirmware) -> None:
    times = [int(bare.ask("timestamp")[0].removeprefix("m-lap-us-")) for _ in range(3)]
    assert times == sorted(times)


def test_selftest_passes(bare: HostFirmware) -> None:
    parts = ("chacha20", "blake2b", "x25519", "aead", "sketch")
    expected = [f"m-selftest-[{part},ok]" for part in parts]
    assert bare.ask("selftest") == [*expected, "m-selftest-[container,absent]"]


def test_buffer_is_printed_eight_bytes_a_line(bare: HostFirmware) -> None:
    bare.load(bytes(range(250, 256)) + bytes(range(5)))
    assert bare.ask("db print") == [
        "m-buffer-fa-fb-fc-fd-fe-ff-00-01",
        "m-buffer-02-03-04",
    ]


def test_load_in_the_benchmark_runners_steps(bare: HostFirmware) -> None:
    data = bytes(range(256)) * 12
    assert bare.ask("db load 3072") == ["m-[Expecting 3072 bytes]"]
    for start in range(0, len(data), 31):
        said = bare.ask("db " + data[start : start + 31].hex().upper())
        assert said == (["m-load-done"] if start + 31 >= len(data) else [])
    assert bare.ask("crc") == [f"m-crc-[{binascii.crc32(data):08x}]"]


def test_a_full_buffer_is_taken(bare: HostFirmware) -> None:
    data = bytes(link.INPUT_BUFFER_BYTES)
    bare.load(data)
    assert bare.ask("crc") == [f"m-crc-[{binascii.crc32(data):08x}]"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("bogus", "unknown-command"),
        ("NAME", "unknown-command"),
        ("names", "unknown-command"),
        ("name now", "argument"),
        ("lock it", "argument"),
        ("db", "argument"),
        ("db load", "argument"),
        ("db load x", "argument"),
        ("db load -1", "argument"),
        ("db load 1 2", "argument"),
        ("db load 99999999999", "argument"),
        ("db load 0", "buffer-size"),
        ("db load 8193", "buffer-size"),
        ("db print all", "argument"),
        ("db 1", "argument"),
        ("db 01", "buffer-size"),
        ("crc", "buffer-incomplete"),
        ("infer 0", "argument"),
        ("infer x", "argument"),
        ("infer 1 x", "argument"),
        ("infer 1 2 3", "argument"),
        (f"infer {link.MAX_INFERENCES + 1}", "argument"),
        (f"infer 1 {link.MAX_INFERENCES + 1}", "argument"),
        ("infer 4294967295", "argument"),
        ("infer 4294967296", "argument"),
        ("infer 1 99999999999", "argument"),
        ("infer nan", "argument"),
        (f"infer {link.MAX_INFERENCES} {link.MAX_INFERENCES}", "no-container"),
        ("infer 1", "no-container"),
        ("infer", "no-container"),
        ("results", "no-container"),
        ("labels", "no-container"),
        ("trace", "no-container"),
        ("tasks", "no-container"),
        ("licences", "no-container"),
        ("licence", "no-container"),
        ("unlock digits " + "0" * 64, "no-container"),
        ("switch digits", "no-container"),
        ("na\x01me", "unknown-command"),
        ("n\x00ame", "unknown-command"),
        ("\xff\xfe", "unknown-command"),
        ("x" * (link.MAX_COMMAND_BYTES + 1), "line-too-long"),
        ("x" * 20000, "line-too-long"),
    ],
)
def test_errors_leave_the_line_in_step(bare: HostFirmware, command: str, name: str) -> None:
    assert error_name(bare.ask(command.encode("latin-1"))) == name
    assert bare.ask("name") == ["m-name-dut-[host]"]


def test_the_longest_command_is_still_read(bare: HostFirmware) -> None:
    assert error_name(bare.ask("x" * link.MAX_COMMAND_BYTES)) == "unknown-command"


@pytest.mark.parametrize(
    "refused",
    [
        "db load",
        "db load x",
        "db load 0",
        "db load 27648",
        "db load 99999999999",
        "db 00",
        "db 0",
        "db zz",
        "db",
        "db 01\x01",
        "db " + "0" * link.MAX_COMMAND_BYTES,
    ],
)
def test_a_refused_load_or_data_line_empties_the_buffer(bare: HostFirmware, refused: str) -> None:
    bare.load(b"old")
    error_name(bare.ask(refused))
    assert bare.ask("db print") == []
    assert error_name(bare.ask("crc")) == "buffer-incomplete"
    assert error_name(bare.ask("db 00")) == "buffer-size"
    bare.load(b"new")
    assert bare.ask("crc") == [f"m-crc-[{binascii.crc32(b'new'):08x}]"]


def test_a_line_that_is_no_load_leaves_the_buffer_as_it_is(bare: HostFirmware) -> None:
    bare.load(b"old")
    for command in ("db print all", "bogus", "infer x"):
        error_name(bare.ask(command))
    assert bare.ask("crc") == [f"m-crc-[{binascii.crc32(b'old'):08x}]"]


def test_an_incomplete_buffer_says_how_much_is_missing(bare: HostFirmware) -> None:
    bare.ask("db load 3")
    bare.ask("db 01")
    (line,) = bare.ask("crc")
    assert line.startswith("e-[buffer-incomplete: ")
    assert line.endswith(": expected 3 bytes, received 1]")


def test_warm_reset_needs_a_power_cycle_to_enroll(bare: HostFirmware) -> None:
    bare.send(b"reset%")
    assert bare.answer() == ["m-resetting", "m-init-done"]
    assert "m-puf-[power-cycle]" in bare.ask("id")
    assert error_name(bare.ask("enroll")) == "power-cycle"
    assert bare.ask("name") == ["m-name-dut-[host]"]


def test_second_enrolment_is_refused(bare: HostFirmware) -> None:
    assert bare.ask("enroll")[-1].startswith("m-sign-public-[")
    assert "m-puf-[enrolled]" in bare.ask("id")
    assert error_name(bare.ask("enroll")) == "enrolled"
