"""Networks of other inputs than 32x32: trained, exported, and computed alike by all three
computers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_tasks import eagerly

from rbnn.engine.reference import Reference
from rbnn.engine.wide import WideEngine
from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, export_run
from rbnn.export.verify import require_passed, verify_run
from rbnn.runs.errors import TrainingError
from rbnn.runs.settings import Settings
from rbnn.runs.start import check, configure, start_run
from rbnn.tasks import Split, TaskData
from rbnn.tasks.errors import TaskError
from rbnn.train.trainer import Trainer

SHAPES = {
    "96x96x3": {"architecture": "vgg", "width": 32, "depth": 3},
    "49x10x1": {"architecture": "resnet", "width": 32, "depth": 3, "stages": 3},
    "20x30x2": {"architecture": "reactnet", "width": 32, "depth": 2, "stages": 2},
}


def striped(name: str, shape: tuple[int, int, int], count: int = 24) -> TaskData:
    """Rows that are brighter tell the class."""
    generator = np.random.default_rng(len(name))

    def split() -> Split:
        labels = np.arange(count, dtype=np.int64) % 3
        images = generator.integers(0, 120, (count, *shape))
        for image, label in zip(images, labels, strict=True):
            image[5 * label + 1 : 5 * label + 5] += 120
        return Split(images.astype(np.uint8), labels)

    return TaskData(name, ("a", "b", "c"), split(), split(), name, "made for tests", "image")


def data_of(size: str) -> list[TaskData]:
    """A task with the network's channels, and one with a single one."""
    height, width, channels = map(int, size.split("x"))
    return [striped("whole", (height, width, channels)), striped("grey", (height, width, 1))]


@pytest.mark.slow
@pytest.mark.parametrize("size", SHAPES)
def test_three_computers_agree_on_a_trained_network(size: str, tmp_path: Path) -> None:
    data = data_of(size)
    settings = Settings(**SHAPES[size], input=size, steps=2, batch=6)  # type: ignore[arg-type]
    run = start_run(tmp_path, data, settings)
    with eagerly():
        Trainer(run, data).fit()
    assert run.config().input_shape == tuple(map(int, size.split("x")))
    samples = {task.name: task.test.images for task in data}
    container = export_run(run, NO_PROVIDER, samples=samples).container
    assert container.topology.input_shape == run.config().input_shape
    checks = verify_run(run, container, data)
    require_passed(checks)
    assert [check.differing_outputs for check in checks] == [0, 0]
    secrets = run.secrets()
    for number, task in enumerate(data):
        reference = Reference.open(container, number, secrets[task.name]).infer(task.test.images)
        wide = WideEngine(container, threads=1).infer(number, secrets[task.name], task.test.images)
        for ours, theirs in zip(reference.layers, wide.layers, strict=True):
            assert np.array_equal(ours, theirs)


def test_without_an_input_a_run_is_as_before() -> None:
    colour, grey = striped("colour", (32, 32, 3)), striped("grey", (32, 32, 1))
    config = configure([colour, grey], Settings(), bytes(16))
    assert config.input_shape == (32, 32, 3)
    assert "input" not in config.model_dump() and "windows" not in config.model_dump()
    assert configure([grey], Settings(), bytes(16)).input_shape == (32, 32, 1)
    assert configure([grey], Settings(input="32x32x3"), bytes(16)).input_shape == (32, 32, 3)


def test_a_run_remembers_its_input(tmp_path: Path) -> None:
    run = start_run(tmp_path, data_of("20x30x2"), Settings(input="20x30x2", windows={"whole": 600}))
    config = run.config()
    assert config.input == "20x30x2"
    form = config.form("whole")
    assert (form.sides, form.channels, form.window) == ((20, 30), 2, 600)
    assert config.single_task("whole", 5).input_shape == (20, 30, 2)


@pytest.mark.parametrize(
    ("size", "what"),
    [
        ("96", "height x width x channels"),
        ("97x96x3", "27,936 bytes; the limit is 27,648"),
        ("32x32x5", "5 channels; the limit is 4"),
        ("0x32x3", "height x width x channels"),
        ("7x96x3", "at least 8 pixels a side"),
    ],
)
def test_an_input_that_no_network_has_is_refused_before_data_are_read(size: str, what: str) -> None:
    with pytest.raises(RbnnError, match=what):
        check(Settings(input=size))


def test_tasks_whose_channels_do_not_go_together_are_refused() -> None:
    data = [striped("pairs", (32, 32, 2)), striped("colour", (32, 32, 3))]
    with pytest.raises(TrainingError, match="Task pairs has 2 channels, another task 3"):
        configure(data, Settings(), bytes(16))


def test_too_many_channels_hint_at_series() -> None:
    with pytest.raises(TaskError, match=r"docs/tasks\.md"):
        check(Settings(input="32x32x6"))
