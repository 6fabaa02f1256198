"""A library with a task of sounds hears what the specification says, in blocks of any size."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builds import build_here, have
from bursts_of_sound import recording
from licensed_world import ERROR_RATE
from life import PROVIDER, USER, Life, make_life

from rbnn.engine.reference import Reference
from rbnn.keys import licence, provisioning
from rbnn.spec.scores import softmax_ppm
from rbnn.spec.status import Status
from rbnn.tasks.front_end import Pcm
from rbnn.tasks.listener import Judge, background, looks

TASKS = (("sound", 5, 1),)
THRESHOLD = 220_000
"""A random network is never sure."""


def expected(life: Life, pcm: Pcm) -> list[str]:
    """Detections by the numpy front end, the integer reference and the numpy listener."""
    labels = life.made.export.manifest.tasks[0].labels
    reference = Reference.open(life.made.export.container, 0, life.made.secrets["sound"])
    judge, found = Judge(THRESHOLD, background(labels)), []
    for look in looks(pcm):
        scores: list[int] = []
        if look.picture is not None:
            logits = reference.infer(look.picture[None, :, :, None]).logits[0]
            scores = softmax_ppm([int(value) for value in logits])
        if (one := judge.look(scores)) is not None:
            found.append(f"{labels[one[0]]} {look.first} {one[1]}")
    return found


@pytest.mark.skipif(not have("gcc"), reason="apt-get install gcc")
def test_it_hears_what_the_specification_says(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    life = make_life(random_export, folder, tasks=TASKS, sounds=("sound",), side=32)
    program = build_here(folder, Path(__file__).with_name("hear.c"))

    container = life.made.export.container
    one = licence.issue(
        PROVIDER, life.device.public, USER, container.model_id, container.digest,
        0, life.made.secrets["sound"], sequence=1,
    )  # fmt: skip
    device = tmp_path / "device"
    device.mkdir()
    pattern = life.device.fingerprint.power_up(ERROR_RATE, np.random.default_rng(3))
    (device / "fingerprint").write_bytes(pattern)
    (device / "partition").write_bytes(provisioning.build(life.device.helper_record, ()))
    (device / "licence").write_bytes(one.data)
    pcm = recording(seconds=3.0, silent_until=2.1)
    wanted = expected(life, pcm)
    assert len(wanted) >= 2
    for block in (4096, 997):
        done = subprocess.run(
            [str(program), str(device), USER.psk(one.licence_id).hex(), str(block),
             str(THRESHOLD)],
            input=pcm.astype("<i2").tobytes(), capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        lines = done.stdout.decode().splitlines()
        assert lines[:7] == [
            "start 0", "add 0", f"no task {Status.NO_ACTIVE_TASK:d}", "unlock 0", "switch 0",
            f"threshold 0 {Status.ARGUMENT:d}", "listen 0",
        ]  # fmt: skip
        assert lines[7:] == [*wanted, f"{len(pcm)} samples, 0 bytes kept"]


def test_a_library_without_sounds_has_no_ear(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    make_life(random_export, folder)
    assert not (folder / "src" / "rbnn" / "audio").exists()
    assert "rbnn_hear" not in (folder / "src" / "rbnn.h").read_text()
