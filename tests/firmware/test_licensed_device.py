"""From a licence to scores on the whole firmware, and every refusal on the way."""

from __future__ import annotations

import binascii
from pathlib import Path

import numpy as np
import pytest
from host_firmware import HostFirmware, error_name
from licensed_model import LicensedModel

from rbnn.keys import provisioning
from rbnn.spec.layout import LICENCE_BYTES
from rbnn.spec.puf import PATTERN_BYTES


def activate(device: HostFirmware, licensed: LicensedModel, task: str) -> None:
    assert device.ask(f"unlock {task} {licensed.psk(task)}") == [f"m-unlocked-[{task}]"]
    answer = device.ask(f"switch {task}")
    assert answer[-1] == f"m-active-[{task}]"
    assert [line.rpartition("-")[0] for line in answer[:-1]] == ["m-lap-us"] * 2


def scores(line: str) -> list[float]:
    assert line.startswith("m-results-[") and line.endswith("]")
    return [float(score) for score in line[len("m-results-[") : -1].split(",")]


def test_identity_names_the_model(device: HostFirmware, licensed: LicensedModel) -> None:
    said = device.ask("id")
    assert f"m-model-id-[{licensed.export.container.model_id.hex()}]" in said
    assert f"m-model-digest-[{licensed.export.container.digest.hex()}]" in said
    assert said[-2:] == ["m-puf-[enrolled]", f"m-public-[{licensed.public.hex()}]"]
    assert device.ask("profile")[1] == "m-model-[vgg]"
    assert "m-selftest-[container,ok]" in device.ask("selftest")


def test_states_of_a_task(device: HostFirmware, licensed: LicensedModel) -> None:
    def states() -> list[str]:
        return [line[:-1].rpartition(",")[2] for line in device.ask("tasks")]

    assert device.ask("tasks") == ["m-task-[0,colour,10,locked]", "m-task-[1,grey,4,locked]"]
    device.ask(f"unlock colour {licensed.psk('colour')}")
    assert states() == ["unlocked", "locked"]
    device.ask("switch colour")
    assert states() == ["active", "locked"]
    activate(device, licensed, "grey")
    assert states() == ["unlocked", "active"]
    assert device.ask("lock") == ["m-locked"]
    assert states() == ["locked", "locked"]


def test_licences_are_listed(device: HostFirmware, licensed: LicensedModel) -> None:
    assert device.ask("licences") == [
        f"m-licence-[{slot},{task},{held.licence_id.hex()},{slot + 1},flash]"
        for slot, (task, held) in enumerate(licensed.licences.items())
    ]


@pytest.mark.parametrize("task", ["colour", "grey"])
def test_device_computes_what_the_reference_computes(
    device: HostFirmware, licensed: LicensedModel, task: str
) -> None:
    activate(device, licensed, task)
    images = licensed.images[task][:3]
    reference = licensed.reference(task)
    outputs = reference.infer(images)
    expected = reference.scores(outputs.logits)
    for number, image in enumerate(images):
        device.load(image.tobytes())
        traced = device.ask("trace")
        layers = [line for line in traced if line.startswith("m-layer-[")]
        crcs = [int(line[:-1].rpartition(",")[2], 16) for line in layers]
        assert crcs == [binascii.crc32(layer[number].tobytes()) for layer in outputs.layers]
        answer = device.ask("infer 2 1")
        assert [line for line in answer if not line.startswith("m-lap-us-")] == [
            "m-warmup-start-1",
            "m-warmup-done",
            "m-infer-start-2",
            "m-infer-done",
            answer[-1],
        ]
        assert [round(score * 1e6) for score in scores(answer[-1])] == expected[number]
        assert device.ask("results") == [answer[-1]] == [traced[-2]]
    shape = f"m-input-[32,32,{images.shape[3]}]"
    names = [f"m-label-[{k},{task}-{k}]" for k in range(len(expected[0]))]
    assert device.ask("labels") == [shape, *names]


def test_benchmark_defaults(device: HostFirmware, licensed: LicensedModel) -> None:
    activate(device, licensed, "grey")
    device.load(licensed.images["grey"][0].tobytes())
    answer = device.ask("infer 1")
    assert answer[0] == "m-warmup-start-10" and answer[2] == "m-infer-start-1"
    assert sum(scores(answer[-1])) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("command", ["infer 1 0", "trace", "results", "labels"])
def test_nothing_runs_without_an_active_task(device: HostFirmware, command: str) -> None:
    device.load(bytes(1024))
    assert error_name(device.ask(command)) == "no-active-task"


def test_scores_and_buffer_are_asked_for_first(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    activate(device, licensed, "grey")
    for command in ("infer 1", "trace", "results"):
        assert error_name(device.ask(command)) == "buffer-incomplete"
    device.load(bytes(1023))
    assert error_name(device.ask("infer 1")) == "buffer-incomplete"


@pytest.mark.parametrize("refused", ["db load 27648", "db 00", "db zz", "db \x01"])
def test_a_refused_load_leaves_neither_input_nor_scores(
    device: HostFirmware, licensed: LicensedModel, refused: str
) -> None:
    activate(device, licensed, "grey")
    device.load(licensed.images["grey"][0].tobytes())
    assert device.ask("infer 1 0")[-1].startswith("m-results-[")
    assert len(device.ask(refused)) == 1
    for command in ("infer 1 0", "trace"):
        (line,) = device.ask(command)
        assert line.startswith("e-[buffer-incomplete: ")
        assert line.endswith(": expected 1024 bytes, received 0]")
        assert error_name(device.ask("results")) == "buffer-incomplete"


def test_the_sizes_of_another_input_are_named(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    activate(device, licensed, "grey")
    device.load(bytes(3072))
    assert device.ask("infer 1 0")[0].endswith(": expected 1024 bytes, received 3072]")
    device.ask("db load 1025")
    for data in (bytes(512), bytes(512)):
        device.ask(f"db {data.hex()}")
    assert device.ask("trace")[0].endswith(": expected 1025 bytes, received 1024]")
    assert device.ask("licence")[0].endswith(f": expected {LICENCE_BYTES} bytes, received 1024]")


@pytest.mark.parametrize("refused", ["infer x", "infer 0", "infer 4294967295 0", "infer 1 1 1"])
def test_a_refused_inference_leaves_no_scores(
    device: HostFirmware, licensed: LicensedModel, refused: str
) -> None:
    activate(device, licensed, "grey")
    device.load(bytes(1024))
    device.ask("infer 1 0")
    assert error_name(device.ask(refused)) == "argument"
    assert error_name(device.ask("results")) == "buffer-incomplete"


def test_locking_forgets_scores(device: HostFirmware, licensed: LicensedModel) -> None:
    activate(device, licensed, "grey")
    device.load(bytes(1024))
    device.ask("infer 1 0")
    device.ask("lock")
    assert error_name(device.ask("results")) == "no-active-task"
    assert error_name(device.ask("switch grey")) == "locked"
    activate(device, licensed, "grey")
    assert error_name(device.ask("results")) == "buffer-incomplete"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("unlock", "argument"),
        ("unlock grey", "argument"),
        ("unlock grey 00", "argument"),
        ("unlock grey " + "0" * 63, "argument"),
        ("unlock grey " + "g" * 64, "argument"),
        ("unlock nothing " + "0" * 64, "unknown-task"),
        ("unlock " + "n" * 40 + " " + "0" * 64, "unknown-task"),
        ("unlock grey " + "0" * 64, "licence-refused"),
        ("switch", "argument"),
        ("switch nothing", "unknown-task"),
        ("switch grey", "locked"),
        ("licence", "buffer-incomplete"),
    ],
)
def test_refusals(device: HostFirmware, licensed: LicensedModel, command: str, name: str) -> None:
    assert error_name(device.ask(command)) == name
    activate(device, licensed, "grey")


def test_wrong_user_key_and_wrong_device_look_alike(
    licensed: LicensedModel, device: HostFirmware, tmp_path: Path
) -> None:
    flipped = bytearray.fromhex(licensed.psk("grey"))
    flipped[0] ^= 1
    wrong_key = device.ask(f"unlock grey {flipped.hex()}")
    (tmp_path / "other").mkdir()
    pattern = np.random.default_rng(99).bytes(PATTERN_BYTES)
    with HostFirmware(licensed.program, pattern, tmp_path / "other") as other:
        record = bytes.fromhex(
            "".join(
                line[:-1].partition(",")[2]
                for line in other.ask("enroll")
                if line.startswith("m-helper-[")
            )
        )
    partition = provisioning.build(record, list(licensed.licences.values()))
    with HostFirmware(licensed.program, pattern, tmp_path / "other", partition) as other:
        wrong_device = other.ask(f"unlock grey {licensed.psk('grey')}")
    assert wrong_key == wrong_device
    assert error_name(wrong_key) == "licence-refused"


def test_copied_partition_does_not_open_on_another_chip(
    licensed: LicensedModel, tmp_path: Path
) -> None:
    pattern = np.random.default_rng(98).bytes(PATTERN_BYTES)
    with HostFirmware(licensed.program, pattern, tmp_path, licensed.partition) as other:
        assert "m-puf-[damaged]" in other.ask("id")
        assert error_name(other.ask(f"unlock grey {licensed.psk('grey')}")) == "puf-helper"


def test_warm_reset_locks_until_a_power_cycle(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    activate(device, licensed, "grey")
    device.send(b"reset%")
    assert device.answer() == ["m-resetting", "m-init-done"]
    assert error_name(device.ask(f"unlock grey {licensed.psk('grey')}")) == "power-cycle"
    assert device.ask("name") == ["m-name-dut-[host]"]


def test_licence_for_another_model_is_refused(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    device.load(licensed.issue("grey", digest=bytes(32)).data)
    assert error_name(device.ask("licence")) == "licence-model"
    activate(device, licensed, "grey")


def test_garbage_is_no_licence(device: HostFirmware, licensed: LicensedModel) -> None:
    device.load(bytes(LICENCE_BYTES))
    assert error_name(device.ask("licence")) == "licence-format"
    device.load(licensed.licences["grey"].data[:-1])
    assert error_name(device.ask("licence")) == "buffer-incomplete"


def test_new_licence_leaves_the_task_and_its_limit_holds(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    activate(device, licensed, "grey")
    limited = licensed.issue("grey", limit=3)
    device.load(limited.data)
    answer = device.ask("licence")
    assert answer[0].endswith(f",grey,{limited.licence_id.hex()},9,ram]")
    device.load(bytes(1024))
    assert error_name(device.ask("infer 1 0")) == "no-active-task"
    psk = licensed.user.psk(limited.licence_id).hex()
    assert device.ask(f"unlock grey {psk}") == ["m-unlocked-[grey]"]
    device.ask("switch grey")
    assert device.ask("infer 2 1")[-1].startswith("m-results-[")
    assert error_name(device.ask("trace")) == "limit"
    said = device.ask("infer 1 0")
    assert said[-1].startswith("e-[limit: ")
    assert error_name(device.ask("results")) == "buffer-incomplete"
    device.ask("switch grey")
    assert error_name(device.ask("trace")) == "limit"
    # Nor does the licence before it open again.
    device.load(licensed.licences["grey"].data)
    assert error_name(device.ask("licence")) == "licence-old"
    assert device.ask("name") == ["m-name-dut-[host]"]


def test_unlock_takes_names_only_as_they_are(device: HostFirmware, licensed: LicensedModel) -> None:
    assert error_name(device.ask(f"unlock gre {licensed.psk('grey')}")) == "unknown-task"
    assert error_name(device.ask(f"unlock  grey {licensed.psk('colour')}")) == "licence-refused"
