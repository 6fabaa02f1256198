"""``--teacher TASK=auto``: a float network is trained once for a task's data, then kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from rbnn.nets.framework import tf
from rbnn.report.settings import settings, train_options
from rbnn.runs.errors import TrainingPausedError
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train import float_network
from rbnn.train.float_model import FloatModel
from rbnn.train.float_network import build_float_network, cache_key
from rbnn.train.session import train

PLACE = Path("teachers") / "colour" / "auto.keras"


@pytest.fixture(autouse=True)
def cache(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and small networks that take six steps."""
    monkeypatch.setattr(float_network, "RESNET_FILTERS", (4, 4, 8))
    monkeypatch.setattr(float_network, "DS_CNN_FILTERS", 8)
    monkeypatch.setattr(float_network, "BATCH", 10)
    monkeypatch.setattr(float_network, "usual_epochs", lambda steps_per_epoch: 2)
    return own_cache / "teachers"


@pytest.fixture
def taught(begin: Callable[..., Run]) -> Callable[[str], Run]:
    def make(folder: str) -> Run:
        return begin(folder, width=8, depth=3, epochs=None, steps=2, teachers={"colour": "auto"})

    return make


@pytest.mark.parametrize(("number", "kind"), [(0, "Conv2D"), (1, "DepthwiseConv2D")])
def test_pictures_and_sounds_have_networks_of_their_own(
    data: list[TaskData], number: int, kind: str
) -> None:
    task = data[number]
    one, two = build_float_network(task), build_float_network(task)
    assert kind in {type(layer).__name__ for layer in one.layers}
    assert one.output_shape == (None, len(task.labels))
    for first, second in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.usefixtures("eager")
def test_it_is_trained_once_and_the_report_names_it(
    taught: Callable[[str], Run],
    data: list[TaskData],
    cache: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = taught("first")
    train(run, data)
    assert "colour teacher: epoch 2" in capsys.readouterr().err
    kept = cache / f"{cache_key(data[0].fingerprint)}.keras"
    assert (run.folder / PLACE).read_bytes() == kept.read_bytes()
    assert not (run.folder / PLACE.parent / "checkpoints").exists()
    assert settings(run.config())["float teachers"] == "colour by auto"
    words = train_options(run.config())
    assert words[words.index("--teacher") + 1] == "colour=auto"

    again = taught("again")
    train(again, data)
    assert "colour teacher" not in capsys.readouterr().err
    assert (again.folder / PLACE).read_bytes() == kept.read_bytes()

    kept.write_bytes(kept.read_bytes()[:1000])
    train(taught("third"), data)
    assert "colour teacher: epoch 2" in capsys.readouterr().err
    FloatModel(kept)


@pytest.mark.usefixtures("eager")
def test_a_stopped_teacher_goes_on_in_a_moved_folder_as_if_nothing_had_happened(
    taught: Callable[[str], Run], data: list[TaskData], tmp_path: Path, cache: Path
) -> None:
    run = taught("parts")
    for step in (1, 2):
        with pytest.raises(TrainingPausedError, match=f"step {step} of the teacher") as stopped:
            train(run, data, until=datetime.now())
        assert stopped.value.fix == f"rbnn train --resume {run.folder}"
        run = Run(run.folder.rename(tmp_path / f"place-{step}"))
    train(run, data)
    (kept,) = cache.iterdir()
    kept.unlink()
    whole = taught("whole")
    train(whole, data)
    images = tf.constant(data[0].test.images)
    answers = [FloatModel(one.folder / PLACE)(images, "0..255") for one in (run, whole)]
    np.testing.assert_array_equal(*answers)
