"""A Larq model becomes a run that computes the same, in Keras and in the exported integers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from larq_models import make_task, padded, residual, tutorial

from rbnn.export.export import NO_PROVIDER, export_run
from rbnn.export.verify import verify_run
from rbnn.runs.figures import read_figures, unfinished
from rbnn.runs.run import Run
from rbnn.spec import operators
from rbnn.spec.layout import Adapter, Stage
from rbnn.tasks import TaskData
from rbnn.train.imported.importing import (
    ImportResult,
    Wishes,
    form_of,
    import_model,
    network_name,
)
from rbnn.train.transfer import load_network

CENTRED = Wishes(1 / 127.5, -1.0)


def imported(
    folder: Path, model: Any, task: TaskData, wishes: Wishes = CENTRED, name: str = "model.h5"
) -> tuple[ImportResult, Run]:
    model.save(folder / name)
    result = import_model(folder / "runs", folder / name, task, wishes, lambda _: None)
    return result, Run(Path(result.run))


def check_export(run: Run, task: TaskData) -> None:
    """C engine, reference and the run's Keras network agree."""
    export = export_run(run, NO_PROVIDER, samples={task.name: task.test.images[:4]})
    (check,) = verify_run(run, export.container, [task])
    assert check.differing_outputs == 0
    assert check.agreement == 1.0


@pytest.mark.parametrize("file", ["model.h5", "model.keras"])
def test_the_stack_of_the_tutorial_gives_the_same_classes(tmp_path: Path, file: str) -> None:
    task = make_task(channels=1)
    result, run = imported(tmp_path, tutorial(), task, Wishes(1.0, -127.0), file)
    assert result.agreement == 1.0
    assert result.notes == ()
    config = run.config()
    assert [layer.op for layer in config.topology().layers] == [
        operators.STEM, operators.CONV, operators.MAX_POOL, operators.CONV, operators.MAX_POOL,
        operators.CONV, operators.DENSE,
    ]  # fmt: skip
    assert config.tasks[0].offsets == (127,)
    assert config.architecture == "model"
    check_export(run, task)


@pytest.mark.parametrize(
    ("build", "least", "notes"),
    [
        (padded, 1.0, []),
        (residual, 0.65, ["first layer pads with zeros, 0.50 of 255", "first layer are rounded"]),
        (lambda: residual("float"), 0.95, ["pads", "first layer are", "last layer are rounded"]),
    ],
)
def test_paddings_signs_and_shortcuts_give_the_same_classes(
    tmp_path: Path, build: Callable[[], Any], least: float, notes: list[str]
) -> None:
    task = make_task()
    wishes = Wishes(1.0, 0.0) if build is padded else CENTRED
    result, run = imported(tmp_path, build(), task, wishes)
    assert result.agreement >= least
    assert len(result.notes) == len(notes) + (result.agreement < 0.99)
    for line, note in zip(notes, result.notes, strict=False):
        assert line in note
    check_export(run, task)


def test_a_network_of_shortcuts_keeps_them(tmp_path: Path) -> None:
    _, run = imported(tmp_path, residual("float"), make_task())
    layers = run.config().topology().layers
    assert [layer.op for layer in layers] == [
        operators.STEM8, operators.CONV, operators.AVERAGE_POOL, operators.CONV, operators.CONV,
        operators.AVERAGE_POOL, operators.DENSE_STREAM8,
    ]  # fmt: skip
    assert [layer.shortcut for layer in layers if layer.op is operators.CONV] == [0, 2, 3]
    assert {layer.stage for layer in layers[:2]} == {Stage.RESIDUAL}


def test_the_stored_bits_are_masked_with_a_fresh_secret(tmp_path: Path) -> None:
    model, task = tutorial(), make_task(channels=1)
    runs = [imported(tmp_path, model, task)[1] for _ in range(2)]
    stored, kernels = [], []
    for run in runs:
        network = load_network(run)
        stored.append(network.shared[1].latent_kernel.numpy() >= 0)
        kernels.append(network.shared[1].task_kernel("mine").numpy())
    theirs = np.where(model.layers[3].get_weights()[0] >= 0, 1, -1)
    assert runs[0].folder != runs[1].folder
    assert runs[0].secrets() != runs[1].secrets()
    for kernel in kernels:
        assert np.array_equal(kernel, theirs)
    assert 0.45 < np.mean(stored[0] == stored[1]) < 0.55
    assert 0.45 < np.mean(stored[0] == (theirs > 0)) < 0.55


def test_the_run_is_finished_and_says_where_it_is_from(tmp_path: Path) -> None:
    result, run = imported(tmp_path, tutorial(), make_task(channels=1))
    config = run.config()
    assert config.imported is not None and config.imported.file == "model.h5"
    assert unfinished(run) == ""
    assert read_figures(run)[-1].tasks["mine"].test_accuracy == result.accuracy
    document = json.loads(run.config_file.read_text())
    assert document["imported"]["file"] == "model.h5"


def test_grey_samples_are_repeated_for_a_model_of_colours(tmp_path: Path) -> None:
    task = make_task(channels=1)
    result, run = imported(tmp_path, padded(), task, Wishes(1.0, 0.0))
    assert result.agreement == 1.0
    assert run.config().tasks[0].adapter is Adapter.REPLICATE
    check_export(run, task)


def test_samples_are_given_in_the_size_of_the_model(tmp_path: Path) -> None:
    """The picture of Larq's tutorial."""
    model, task = tutorial(side=28), make_task(channels=1, side=28)
    assert str(form_of(model)) == "28x28x1"
    result, run = imported(tmp_path, model, task, Wishes(1.0, -127.0))
    assert result.agreement == 1.0
    config = run.config()
    assert config.input_shape == (28, 28, 1)
    assert config.form("mine") == form_of(model)


def test_names_of_files_become_names_of_networks() -> None:
    assert network_name(Path("a model, (final).h5")) == "a-model-final"
    assert network_name(Path("ü.h5")) == "imported"
    assert network_name(Path("quick_brown_fox_jumps.keras")) == "quick_brown_fox"
