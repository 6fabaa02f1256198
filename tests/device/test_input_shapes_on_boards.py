"""Inputs of other shapes than 32x32 on an emulated board: sent whole, computed bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flashed_board import quiet

from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.errors import DeviceError
from rbnn.device.evaluation import check_layers
from rbnn.device.inference import infer_files
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image.board import load_board
from rbnn.keys.provider_key import create_provider_key
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import create_user_key
from rbnn.spec.series import Series
from rbnn.tasks.sensors.series import inputs

pytestmark = [pytest.mark.qemu, pytest.mark.slow]

MEANS = np.float32([0.5, -2.0, 1e-3, 9.81, 0.0, 7.0])
FACTORS = np.float32([32.0, 1.5, 4e4, 8.25, 0.0, 1 / 3])
SERIES = Series(100, 50, tuple(MEANS.tolist()), tuple(FACTORS.tolist()))


@pytest.mark.parametrize(
    ("shape", "network"),
    [
        ((96, 96, 3), {"architecture": "vgg"}),
        pytest.param(
            (49, 10, 1),
            {"architecture": "resnet", "stages": 3, "ends": 8},
            marks=pytest.mark.full,
        ),
        ((20, 30, 1), {"architecture": "reactnet", "series": {"sensors": SERIES}}),
    ],
    ids=["96x96x3", "49x10x1", "20x30x1 of a series"],
)
def test_a_board_computes_what_the_reference_does(
    tmp_path: Path,
    random_export: Callable[..., Any],
    shape: tuple[int, int, int],
    network: dict[str, Any],
) -> None:
    provider = create_provider_key(tmp_path / "provider.pem", Secret(b"correct horse battery"))
    user_key = create_user_key(tmp_path / "user.key")
    tasks = (("sensors", 3, shape[2]), ("other", 2, 1))
    random = random_export(provider_public=provider.public, shape=shape, tasks=tasks, **network)
    target = EmulatedTarget(load_board("qemu"), tmp_path / "device", quiet)
    EmulatedBoard.create(tmp_path / "device", "qemu", seed=7)
    prepared = deploy.prepare(random.run, target, provider.public, quiet, development=True)
    container = prepared.export.container
    with Registry.open(tmp_path / "registry.sqlite") as registry:
        deploy.flash(prepared, target, provider, user_key, registry, (), quiet)
        try:
            with target.open() as session:
                switch_task(session, "sensors", lambda: user_key)
                active = session.active_task()
                assert active.input_shape == shape
                assert active.series == network.get("series", {}).get("sensors")
                images = random.images["sensors"][:1]
                reference = Reference.open(container, 0, random.secrets["sensors"])
                assert not check_layers(session, images, layer_crc32(reference.infer(images)))
                with pytest.raises(DeviceError, match="whole input"):
                    session.infer(images[0].tobytes()[:-1])
                with pytest.raises(DeviceError, match="larger than the buffer"):
                    session.ask(f"db load {max(8192, np.prod(shape)) + 1}")
                if active.series is not None:
                    _infer_recording(session, tmp_path, reference)
        finally:
            target.emulator.power_off()


def _infer_recording(session: Session, folder: Path, reference: Reference) -> None:
    """A CSV file needs nothing but the board: a result for each window."""
    values = np.random.default_rng(5).normal(size=(180, 6)) / FACTORS.clip(1e-3) * 40 + MEANS
    np.savetxt(folder / "walk.csv", values, delimiter=",", header="a,b,c,d,e,f", comments="")
    found = list(infer_files(session, [folder / "walk.csv"], folder / "runs", quiet))
    assert [one.step for one in found] == [0, 50]
    read = np.loadtxt(folder / "walk.csv", np.float32, delimiter=",", skiprows=1)
    windows = inputs(SERIES, read, (20, 30, 1))
    best = reference.infer(windows).logits.argmax(axis=1)
    labels = reference.params.labels
    assert [one.label for one in found] == [labels[number] for number in best]
