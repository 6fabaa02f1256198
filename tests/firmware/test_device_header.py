"""A product of ``device/device.h`` only: from enrolment to scores, and what is left in memory."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn import monocypher
from rbnn.engine.compile import (
    FIRMWARE,
    INCLUDES,
    MONOCYPHER,
    SANITIZERS,
    compile_native,
    compiler,
    room_sources,
)
from rbnn.engine.reference import Reference
from rbnn.keys import licence, provisioning
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.puf import PATTERN_BYTES

RNG = np.random.default_rng(31)
PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(RNG.bytes(32)))
USER = UserKey(Secret(RNG.bytes(32)))
PATTERN = RNG.bytes(PATTERN_BYTES)
ROOMS = ("crypto", "store", "core", "puf", "reconf", "licence", "device")
RESIDENT = 0b1011
"""Layers that stay reconfigured: two of the trunk's and one of the task's."""


@dataclass(frozen=True)
class Product:
    """A device's program, its model, and what was provisioned."""

    program: Path
    made: Any
    folder: Path
    public: bytes = b""
    record: bytes = b""
    has_store: bool = False

    def issue(self, task: str, limit: int = 0, digest: bytes | None = None) -> Licence:
        """A licence for this device and :data:`USER`."""
        container = self.made.export.container
        names = [entry.name for entry in container.tasks]
        return licence.issue(
            PROVIDER, self.public, USER, container.model_id, digest or container.digest,
            names.index(task), self.made.secrets[task], sequence=1, inference_limit=limit,
        )  # fmt: skip

    def run(
        self,
        *commands: str,
        licences: tuple[Licence, ...] | None = (),
        warm: bool = False,
        resident: int = 0,
        arena_less: int = 0,
    ) -> list[list[str]]:
        """Power up and give commands; the answer to the start and to each, in words.

        Args:
            commands: lines of device_driver.c.
            licences: in the partition; None for an erased one.
            warm: without the power-up pattern.
            resident: layers that stay reconfigured.
            arena_less: bytes of activation memory that are missing.
        """
        files = {"container": self.made.export.container.data}
        if licences is not None:
            files["partition"] = provisioning.build(self.record, licences)
        if not warm:
            noise = np.packbits(np.random.default_rng().random(8 * len(PATTERN)) < 0.08)
            files["pattern"] = bytes(np.frombuffer(PATTERN, np.uint8) ^ noise)
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
        store = str(self.folder / "store") if self.has_store else "-"
        paths = [
            str(self.folder / name) if name in files else "-"
            for name in ("container", "partition", "pattern")
        ]
        done = subprocess.run(
            [str(self.program), *paths, str(resident), str(arena_less), store],
            input="".join(f"{command}\n" for command in commands),
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0 and done.stderr == "", done.stderr[-2000:]
        return [line.split() for line in done.stdout.splitlines()]


def unlock(held: Licence, task: str, user: UserKey = USER) -> str:
    return f"unlock {task} {user.psk(held.licence_id).hex()}"


@pytest.fixture(scope="module")
def product(random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Product:
    """An enrolled device with a model that has a trunk."""
    monocypher.lay_out(monocypher.folder())
    sources = [Path(__file__).with_name("device_driver.c"), *room_sources(*ROOMS)]
    program = compile_native(
        "device_driver",
        [*sources, MONOCYPHER / "monocypher.c"],
        ["-O1", *SANITIZERS],
    )
    made = random_export(provider_public=PROVIDER.public, trunk=2)
    fresh = Product(program, made, tmp_path_factory.mktemp("device"))
    start, (status, record, public) = fresh.run("enroll", licences=None)
    assert (start, status) == (["ok"], "ok")
    return replace(fresh, record=bytes.fromhex(record), public=bytes.fromhex(public))


@pytest.mark.parametrize("resident", [0, RESIDENT], ids=["streaming", "resident"])
@pytest.mark.parametrize("task", ["colour", "grey"])
def test_from_a_licence_to_the_reference_s_logits(
    product: Product, task: str, resident: int
) -> None:
    names = [entry.name for entry in product.made.export.container.tasks]
    secret = product.made.secrets[task]
    reference = Reference.open(product.made.export.container, names.index(task), secret)
    images = product.made.images[task][:3]
    logits = reference.infer(images).logits
    held = product.issue(task)
    answers = product.run(
        *(unlock(held, task), f"switch {task}", "label 0", f"label {reference_classes(logits)}"),
        *(f"infer {image.tobytes().hex()}" for image in images),
        licences=(held,),
        resident=resident,
    )
    assert answers[:3] == [["ok"]] * 3
    assert answers[3] != ["-"] and answers[4] == ["-"]
    scores = reference.scores(logits)
    for answer, row, parts in zip(answers[5:], logits.tolist(), scores, strict=True):
        assert answer == ["ok", *map(str, row), *map(str, parts)]


def reference_classes(logits: Any) -> int:
    return int(logits.shape[1])


def test_a_licence_may_come_later(product: Product) -> None:
    held = product.issue("grey")
    commands = ("switch grey", f"add {held.data.hex()}", "switch grey", unlock(held, "grey"))
    answers = product.run(*commands, "switch grey")
    assert answers[1:] == [["no-licence"], ["ok"], ["locked"], ["ok"], ["ok"]]


def test_a_wrong_key_and_another_model_are_refused(product: Product) -> None:
    held = product.issue("grey")
    other = UserKey(Secret(bytes(32)))
    foreign = product.issue("grey", digest=bytes(32))
    answers = product.run(
        unlock(held, "grey", other), "switch grey", f"add {foreign.data.hex()}", "switch nobody",
        licences=(held,),
    )  # fmt: skip
    said = [["licence-refused"], ["locked"], ["licence-model"], ["unknown-task"]]
    assert answers[1:] == said


def test_the_limit_is_counted_whatever_happens(product: Product, tmp_path: Path) -> None:
    product = replace(product, folder=tmp_path, has_store=True)
    _, (_, record, public) = product.run("enroll", licences=None)
    product = replace(product, record=bytes.fromhex(record), public=bytes.fromhex(public))
    held = product.issue("grey", limit=2)
    pixels = product.made.images["grey"][0].tobytes().hex()
    commands = ("infer 00", *[f"infer {pixels}"] * 3)
    answers = product.run(
        f"infer {pixels}", unlock(held, "grey"), "switch grey", *commands, licences=(held,)
    )
    assert [answer[0] for answer in answers[1:]] == [
        "no-active-task", "ok", "ok", "argument", "ok", "ok", "limit"
    ]  # fmt: skip
    again = product.run(unlock(held, "grey"), "switch grey", f"infer {pixels}", licences=(held,))
    assert [answer[0] for answer in again[1:]] == ["ok", "ok", "limit"]


@pytest.mark.parametrize("leave", ["lock", "switch colour", "add"])
def test_nothing_of_a_task_outlives_it(product: Product, leave: str) -> None:
    """Memory, scores and the streams' keys are all zero after a lock, a refused switch, a licence
    that replaces the active one."""
    held = product.issue("grey")
    pixels = product.made.images["grey"][0].tobytes().hex()
    use = (unlock(held, "grey"), "switch grey", f"infer {pixels}", "left")
    then = f"add {held.data.hex()}" if leave == "add" else leave
    answers = product.run(
        *use, then, "left", f"infer {pixels}", licences=(held,), resident=RESIDENT
    )
    assert min(map(int, answers[4][1:5])) > 0
    assert answers[5] == ["no-licence" if leave == "switch colour" else "ok"]
    memory, scores, keys, unlocked = map(int, answers[6][1:5])
    assert (memory, scores, keys) == (0, 0, 0)
    # Another task's failure does not lock this one.
    assert (unlocked > 0) == (leave == "switch colour")
    assert answers[7] == ["no-active-task"]


def test_a_switch_without_enough_memory_locks_and_leaves_nothing(product: Product) -> None:
    held = product.issue("grey")
    answers = product.run(
        unlock(held, "grey"), "switch grey", "left", "switch grey",
        licences=(held,), resident=RESIDENT, arena_less=4,
    )  # fmt: skip
    assert answers[2] == ["argument"]
    assert answers[3][1:5] == ["0"] * 4
    assert answers[4] == ["locked"]


def test_a_stopped_device_holds_nothing(product: Product) -> None:
    held = product.issue("grey")
    pixels = product.made.images["grey"][0].tobytes().hex()
    answers = product.run(
        unlock(held, "grey"), "switch grey", f"infer {pixels}", "stop", "left",
        licences=(held,), resident=RESIDENT,
    )  # fmt: skip
    assert answers[-1] == ["ok"] + ["0"] * 6
    assert product.run("stop", "left", licences=None)[-1] == ["ok"] + ["0"] * 6


def test_a_warm_reset_has_no_keys(product: Product) -> None:
    held = product.issue("grey")
    assert product.run(unlock(held, "grey"), licences=(held,), warm=True)[1] == ["power-cycle"]


def test_the_example_in_the_header_compiles(product: Product, tmp_path: Path) -> None:
    text = (FIRMWARE / "device" / "device.h").read_text()
    block = re.search(r"^ \*   #include.*?^ \*   \}$", text, re.M | re.S)
    assert block is not None
    end = text.index(" * An unlocked task stays")
    lines = [line.removeprefix(" * ") for line in text[block.start() : end].splitlines()]
    example = tmp_path / "example.c"
    example.write_text("\n".join(line.removeprefix(" *") for line in lines) + "\n")
    done = subprocess.run(
        [compiler(), "-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror",
         *(f"-I{path}" for path in (*INCLUDES, product.made.export.folder)),
         "-c", str(example), "-o", str(tmp_path / "example.o")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "rbnn_device_lock(&device);" in example.read_text()
