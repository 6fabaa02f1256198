"""The MLPerf Tiny runner's conversation with the emulated board: by a client as strict as it is,
and by the runner itself where ``RBNN_MLPERF`` names it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from mlperf_place import Place
from runner_client import RunnerClient, read_dataset
from typed import typed

from rbnn import __version__
from rbnn.bench.mlperf.run import unlock
from rbnn.engine.wide import WideEngine
from rbnn.errors import RbnnError
from rbnn.keys.user_key import load_user_key
from rbnn.spec.scores import softmax_ppm

pytestmark = pytest.mark.qemu
TASKS = pytest.mark.parametrize(("task", "name"), [("colour", "ic01"), ("grey", "kws01")])


def unlocked(place: Place, task: str) -> str:
    """The port of the board, whose active task is ``task``."""
    key = place.folder / "keys" / "user.key"
    unlock(place.target, task, lambda: load_user_key(key), place.samples)
    return place.target.serial_path()


@TASKS
def test_accuracy_mode_has_the_scores_of_the_workstation(
    place: Place, task: str, name: str
) -> None:
    with RunnerClient(unlocked(place, task)) as client:
        said = client.identify()
        found = []
        samples = read_dataset(place.samples / name)
        for data, _, _ in samples:
            client.load(data)
            found.append(client.infer(1, 0))
    assert said == ("qemu", {"profile": f"RBNN firmware {__version__}", "model": name})
    number = place.model.container.task_number(task)
    images = place.data[task].test.images
    logits = WideEngine(place.model.container).logits(number, place.model.secrets()[task], images)
    expected = [tuple(ppm / 1e6 for ppm in softmax_ppm(row)) for row in logits.tolist()]
    assert [answer.scores for answer in found] == expected
    assert [label for _, _, label in samples] == place.data[task].test.labels.tolist()
    assert all(answer.elapsed_us > 0 for answer in found)


@TASKS
def test_performance_mode_times_every_inference_alike(place: Place, task: str, name: str) -> None:
    with RunnerClient(unlocked(place, task)) as client:
        client.identify()
        windows = []
        for data, _, _ in read_dataset(place.samples / name)[:2]:
            client.load(data)
            windows.append(client.infer(20, 5))
        one = client.infer(1, 0)
    times = np.array([answer.elapsed_us for answer in windows])
    assert times.max() <= 1.001 * times.min()
    assert 19 * one.elapsed_us < times.min() < 21 * one.elapsed_us


def test_the_runner_finds_its_port_again_right_after_it_let_it_go(place: Place) -> None:
    """It closes the port after it has asked for the model, opens it again, and loads at once."""
    port = unlocked(place, "grey")
    for _ in range(2):
        with RunnerClient(port) as client:
            client.load(read_dataset(place.samples / "kws01")[0][0])


def test_a_task_without_a_benchmark_of_this_version_has_the_architecture(place: Place) -> None:
    with pytest.raises(RbnnError, match="to the runner it is 'resnet'") as refusal:
        unlocked(place, "more")
    assert "rbnn export RUN --benchmark more=ic01|kws01" in refusal.value.fix
    with RunnerClient(place.target.serial_path()) as client:
        assert client.identify()[1]["model"] == "resnet"


def test_before_a_task_is_active_the_model_has_its_architecture(place: Place) -> None:
    place.target.power_cycle()
    place.target.open().close()  # it has read what the board says when it starts
    with RunnerClient(place.target.serial_path()) as client:
        assert client.identify()[1]["model"] == "resnet"


@TASKS
@pytest.mark.parametrize("mode", ["accuracy", "performance"])
def test_the_runner_itself(place: Place, tmp_path: Path, task: str, name: str, mode: str) -> None:
    runner = os.environ.get("RBNN_MLPERF")
    if not runner:
        pytest.skip("RBNN_MLPERF is not set; it names a clone of github.com/mlcommons/tiny")
    script = tmp_path / "tests.yaml"
    # Five windows of a network as small as this one would be too short for the runner.
    steps = "loop 5:\n      - download\n      - infer 300 5"
    script.write_text(
        f"{name}:\n  name: short\n  model: {name}\n  truth_file: y_labels.csv\n"
        f"  script:\n    - {steps}\n"
    )
    more = ["--tests", str(script)] if mode == "performance" else []
    done = typed(
        place.folder,
        *("bench", "mlperf", "--runner", runner, "--task", task, "--mode", mode, "--json"),
        *("--out", str(tmp_path / "out"), *more, "--python", sys.executable, "--user-key"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["benchmark"], found["mode"]) == (name, mode)
    if mode == "performance":
        assert found["throughput"] > 0
        return
    images, labels = place.data[task].test.images, place.data[task].test.labels
    number = place.model.container.task_number(task)
    logits = WideEngine(place.model.container).logits(number, place.model.secrets()[task], images)
    right = float(np.mean(logits.argmax(axis=1) == labels))
    assert found["accuracy"] == pytest.approx(100 * right, abs=0.06)
    assert 0 <= found["auc"] <= 1
