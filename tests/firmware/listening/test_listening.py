"""A device that listens: the `audio` command of the firmware, as a process under sanitizers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from bursts_of_sound import recording
from host_firmware import HostFirmware, error_name
from licensed_model import LicensedModel, make_licensed_model

from rbnn.keys import provisioning
from rbnn.spec import audio
from rbnn.spec.puf import PATTERN_BYTES
from rbnn.spec.scores import softmax_ppm
from rbnn.tasks.front_end import Pcm
from rbnn.tasks.listener import Judge, background, looks

PATTERN = np.random.default_rng(13).bytes(PATTERN_BYTES)
TASKS = (("colour", 10, 3), ("grey", 4, 1), ("sound", 5, 1))


@pytest.fixture(scope="module")
def hearing_model(
    random_export: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> LicensedModel:
    """A device whose third task takes sound."""

    def make(**settings: object) -> object:
        return random_export(tasks=TASKS, sounds=("sound",), **settings)

    return make_licensed_model(make, tmp_path_factory.mktemp("hearing"), PATTERN)


@pytest.fixture
def ear(hearing_model: LicensedModel, tmp_path: Path) -> Iterator[HostFirmware]:
    """That device, its sound task active."""
    store = shutil.copy(hearing_model.store, tmp_path / "store.bin")
    with HostFirmware(
        hearing_model.program,
        hearing_model.noisy_pattern(),
        tmp_path,
        hearing_model.partition,
        store,
    ) as firmware:
        activate(firmware, hearing_model, "sound")
        yield firmware


def activate(firmware: HostFirmware, model: LicensedModel, task: str) -> None:
    assert firmware.ask(f"unlock {task} {model.psk(task)}") == [f"m-unlocked-[{task}]"]
    assert firmware.ask(f"switch {task}")[-1] == f"m-active-[{task}]"


def send(firmware: HostFirmware, pcm: Pcm, block: int = audio.MAX_BLOCK_SAMPLES) -> list[str]:
    """All answers to a recording, in blocks."""
    answers: list[str] = []
    for start in range(0, len(pcm), block):
        part = pcm[start : start + block]
        firmware.load(part.astype("<i2").tobytes())
        answers += firmware.ask(f"audio {len(part)}")
    return answers


def expected(model: LicensedModel, pcm: Pcm, threshold: int) -> tuple[list[str], int]:
    """Detections by the numpy front end, the integer reference and the numpy listener."""
    reference = model.reference("sound")
    labels = [f"_sound-{k}" if k == 0 else f"sound-{k}" for k in range(5)]
    judge = Judge(threshold, background(labels))
    found, inferences = [], 0
    for look in looks(pcm):
        scores: list[int] = []
        if look.picture is not None:
            inferences += 1
            logits = reference.infer(look.picture[None, :, :, None]).logits[0]
            scores = softmax_ppm([int(value) for value in logits])
        if (one := judge.look(scores)) is not None:
            whole, ppm = divmod(one[1], 1_000_000)
            found.append(f"m-detected-[{look.first},{one[0]},{whole}.{ppm:06}]")
    return found, inferences


def test_a_stream_gives_what_the_specification_says(
    ear: HostFirmware, hearing_model: LicensedModel
) -> None:
    pcm = recording()
    threshold = 220_000  # a random network is never sure
    wanted, inferences = expected(hearing_model, pcm, threshold)
    assert len(wanted) >= 2 and inferences >= 10
    for block in (audio.MAX_BLOCK_SAMPLES, 997):
        assert ear.ask(f"audio start {threshold}") == ["m-audio-[0,0,0,0,0]"]
        answers = send(ear, pcm, block)
        assert [line for line in answers if line.startswith("m-detected")] == wanted
        positions = [line for line in answers if line.startswith("m-audio")]
        assert len(positions) + len(wanted) == len(answers)
        assert positions[-1].startswith(f"m-audio-[{len(pcm)},")
        done = sum(int(line.split(",")[2]) for line in positions)
        assert done == inferences, "silence costs no inference"


def test_no_detection_of_background_or_below_the_threshold(ear: HostFirmware) -> None:
    ear.ask("audio start 1000000")
    assert not [line for line in send(ear, recording()) if line.startswith("m-detected")]


def test_refusals_leave_nothing_over(ear: HostFirmware, hearing_model: LicensedModel) -> None:
    pcm = recording(1.5)
    for command, error in (
        ("audio", "argument"),
        ("audio x", "argument"),
        ("audio start 0", "argument"),
        ("audio start 1000001", "argument"),
        ("audio start 5 5", "argument"),
        ("audio 0", "buffer-size"),
        (f"audio {audio.MAX_BLOCK_SAMPLES + 1}", "buffer-size"),
        ("audio 4294967297", "argument"),
        ("audio 99", "buffer-incomplete"),
        ("audio 101", "buffer-incomplete"),
        ("audio 100 ", None),
        ("audio stop", None),
    ):
        send(ear, pcm)
        ear.load(bytes(200))
        answer = ear.ask(command)
        if error is None:
            assert not answer or answer[0].startswith("m-audio-[24100,"), answer
        else:
            assert error_name(answer) == error, command
        assert ear.ask("db print") == [], "the samples are taken once"
        if command != "audio 100 ":
            ear.load(bytes(20))
            assert re.match(r"m-audio-\[10,0,0,", ear.ask("audio 10")[0]), "a new stream"
        ear.ask("audio stop")


def test_a_stream_without_a_start_has_the_usual_threshold(ear: HostFirmware) -> None:
    assert send(ear, recording(1.2))[-1].startswith("m-audio-[19200,37,")


def test_leaving_the_task_forgets_the_sound(
    ear: HostFirmware, hearing_model: LicensedModel
) -> None:
    send(ear, recording(1.2))
    ear.load(bytes(20))
    assert ear.ask("lock") == ["m-locked"]
    assert ear.ask("db print") == []
    assert error_name(ear.ask("audio 10")) == "no-active-task"
    for task in ("colour", "grey"):
        activate(ear, hearing_model, task)
        assert error_name(ear.ask("audio start")) == "no-sound"
    activate(ear, hearing_model, "sound")
    ear.load(bytes(20))
    assert ear.ask("audio 10")[0].startswith("m-audio-[10,0,")


def test_help_lists_it(ear: HostFirmware) -> None:
    (line,) = [line for line in ear.ask("help") if line.startswith("m-help-[audio ")]
    assert line.startswith("m-help-[audio start [PPM] | N | stop: In firmware with a task that")


def test_pictures_are_still_taken(ear: HostFirmware, hearing_model: LicensedModel) -> None:
    image = hearing_model.images["sound"][0]
    ear.load(image.tobytes())
    answer = ear.ask("infer 1 0")
    logits = hearing_model.reference("sound").infer(image[None]).logits[0]
    wanted = softmax_ppm([int(value) for value in logits])
    scores = [f"{value // 1_000_000}.{value % 1_000_000:06}" for value in wanted]
    assert answer[-1] == f"m-results-[{','.join(scores)}]"


def test_a_limit_ends_the_stream(hearing_model: LicensedModel, tmp_path: Path) -> None:
    limited = hearing_model.issue("sound", limit=5)
    partition = provisioning.build(hearing_model.record, [limited])
    store = shutil.copy(hearing_model.store, tmp_path / "store.bin")
    with HostFirmware(
        hearing_model.program, hearing_model.noisy_pattern(), tmp_path, partition, store
    ) as firmware:
        psk = hearing_model.user.psk(limited.licence_id).hex()
        assert firmware.ask(f"unlock sound {psk}") == ["m-unlocked-[sound]"]
        firmware.ask("switch sound")
        answers = send(firmware, recording(1.45))
        assert sum(int(line.split(",")[2]) for line in answers if "m-audio" in line) == 4
        part = recording()[: audio.MAX_BLOCK_SAMPLES]
        firmware.load(part.astype("<i2").tobytes())
        assert error_name([firmware.ask(f"audio {len(part)}")[-1]]) == "limit"
        firmware.load(bytes(20))
        assert firmware.ask("audio 10")[0].startswith("m-audio-[10,0,")


def test_a_firmware_without_a_task_of_sounds_has_no_such_command(bare: HostFirmware) -> None:
    assert error_name(bare.ask("audio start")) == "unknown-command"
    assert not [line for line in bare.ask("help") if "audio" in line]
