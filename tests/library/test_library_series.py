"""A library with a task of a sensor series makes the inputs that training made, bit for bit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builds import build_here, have
from licensed_world import ERROR_RATE
from life import PROVIDER, USER, make_life

from rbnn.engine.compile import SANITIZERS
from rbnn.engine.reference import Reference
from rbnn.keys import licence, provisioning
from rbnn.spec.series import Series
from rbnn.spec.status import Status
from rbnn.tasks.sensors.series import inputs

SHAPE = (20, 12, 1)
STEPS = 40
# A value may be infinitely far from the mean of the fifth channel, which never changed in training.
MEANS = np.float32([0.1, -3.0, 1e-3, 9.81, -2e38, 1e9])
FACTORS = np.float32([32.0, 0.7, 1e5, 1 / 3, 0.0, 1e-7])


@pytest.mark.skipif(not have("gcc"), reason="apt-get install gcc")
def test_windows_become_the_inputs_of_training(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    series = Series(STEPS, STEPS, tuple(MEANS.tolist()), tuple(FACTORS.tolist()))
    folder = tmp_path / "library"
    life = make_life(
        random_export, folder, tasks=(("imu", 5, 1),), shape=SHAPE, series={"imu": series}
    )
    program = build_here(folder, Path(__file__).with_name("series.c"))

    container = life.made.export.container
    one = licence.issue(
        PROVIDER, life.device.public, USER, container.model_id, container.digest,
        0, life.made.secrets["imu"], sequence=1,
    )  # fmt: skip
    device = tmp_path / "device"
    device.mkdir()
    pattern = life.device.fingerprint.power_up(ERROR_RATE, np.random.default_rng(3))
    (device / "fingerprint").write_bytes(pattern)
    (device / "partition").write_bytes(provisioning.build(life.device.helper_record, ()))
    (device / "licence").write_bytes(one.data)
    rng = np.random.default_rng(4)
    scale = 60 / np.where(FACTORS > 0, FACTORS, 1)
    values = (rng.normal(size=(20 * STEPS, 6)) * scale + MEANS).astype(np.float32)
    values[:3] = [[3e38] * 6, [-3e38] * 6, [0.0] * 6]
    done = subprocess.run(
        [str(program), str(device), USER.psk(one.licence_id).hex()],
        input=values.tobytes(), capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    images = inputs(series, values, SHAPE)
    assert (images.reshape(20, STEPS, 6)[:, :, 4] == 128).all()
    logits = Reference.open(container, 0, life.made.secrets["imu"]).infer(images).logits[:, :5]
    assert len(np.unique(images)) == 256
    assert done.stdout.decode().splitlines() == [
        "start 0", "add 0", f"no task {Status.NO_ACTIVE_TASK:d}", "unlock 0", "switch 0",
        f"too few {Status.ARGUMENT:d}",
        *(
            f"{image.tobytes().hex()} {' '.join(map(str, row))}"
            for image, row in zip(images, logits.tolist(), strict=True)
        ),
    ]  # fmt: skip

    # The workstation's example takes a window of values, and the input that is made from it.
    example = tmp_path / "workstation"
    source = folder / "examples" / "workstation" / "workstation.c"
    assert len(source.read_text().splitlines()) <= 100
    subprocess.run(
        ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", *SANITIZERS,
         f"-I{folder / 'src'}", str(source), *map(str, (folder / "src").rglob("*.c")),
         "-o", str(example)],
        check=True,
    )  # fmt: skip
    (tmp_path / "user.key").write_text(USER.line())
    windows = values.reshape(20, -1)
    for file in (windows[0].tobytes(), images[0].tobytes()):
        (tmp_path / "input.raw").write_bytes(file)
        words = [str(example), str(device), "imu", str(device / "licence")]
        printed = subprocess.run(
            [*words, str(tmp_path / "user.key"), str(tmp_path / "input.raw")],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert [int(line.split()[0]) for line in printed.splitlines()] == logits[0].tolist()


def test_a_library_without_series_has_no_such_function(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    make_life(random_export, tmp_path / "library")
    assert "rbnn_series_input" not in (tmp_path / "library" / "src" / "rbnn.h").read_text()
