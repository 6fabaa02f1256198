"""The demonstration of a packed model: on the emulated board, and what stops it earlier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packed_models import TASKS, pack_random_model
from rich.console import Console
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.demo import packed as seven
from rbnn.demo.packed import PackedDemoPlan, demonstrate, find_data, require_equal
from rbnn.demo.packed_tables import seven_report
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.errors import RbnnError
from rbnn.export.errors import PackedModelError
from rbnn.export.packed import SHIPPED, PackedModel
from rbnn.image.board import load_board
from rbnn.image.errors import FitError
from rbnn.tasks import TaskData

SHIPPED_BYTES_MAX = 600_000


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> tuple[PackedModel, list[TaskData]]:
    return pack_random_model(tmp_path_factory.mktemp("model"), random_export)


def command(*arguments: str) -> Any:
    return CliRunner().invoke(build(), ["demo", *arguments])


@pytest.mark.qemu
def test_a_packed_model_is_flashed_refused_unlocked_and_compared(
    made: tuple[PackedModel, list[TaskData]], tmp_path: Path
) -> None:
    model, data = made
    said: list[str] = []
    target = EmulatedTarget(load_board("qemu"), tmp_path / "emulated" / "device", said.append)
    plan = PackedDemoPlan(tmp_path, model, target, 3, tmp_path / "registry.sqlite")
    grey = next(task for task in data if task.name == "grey")
    figures = demonstrate(
        plan, said.append, lambda task: grey if task.name == "grey" else "no data available"
    )
    assert [(task.name, task.classes) for task in figures.tasks] == [task[:2] for task in TASKS]
    for task in figures.tasks:
        assert task.differing_layers == 0 < task.probes
        assert task.inference_instructions is not None and task.switch_instructions is not None
        assert task.inference_instructions > task.switch_instructions > 0
        assert (task.device is None) == bool(task.no_data) == (task.name != "grey")
    assert [refusal.status for refusal in figures.refusals] == [
        "puf-helper",
        "licence-refused",
        "locked",
        "licence-refused",
        "licence-model",
    ]
    sizes = figures.image
    assert {f"task {name}" for name, _, _ in TASKS} <= {part.part for part in sizes.parts}
    assert figures.together_bytes > figures.separate_bytes / len(TASKS)
    assert any("TEST-ONLY" in line for line in said)
    assert not list(tmp_path.rglob("state.json")), "an emulator was left running"

    # Its keys and its board can still be used.
    key = figures.go_on[0].split("--user-key ")[1]
    switched = CliRunner().invoke(
        build(),
        ["switch", "more", "--device-folder", str(target.device.folder), "--user-key", key],
    )
    target.emulator.power_off()
    assert switched.exit_code == 0 and "unlocked and active" in switched.output

    console = Console(width=160)
    with console.capture() as captured:
        console.print(seven_report(figures))
    text = captured.get()
    assert "3 tasks from one set of" in text and "no data available" in text and "equal" in text


def test_a_board_with_other_results_is_refused() -> None:
    tasks = (
        SimpleNamespace(name="a", differing_layers=0),
        SimpleNamespace(name="b", differing_layers=1),
    )
    with pytest.raises(RbnnError, match="differ from the recorded ones: b"):
        require_equal(SimpleNamespace(board="qemu", tasks=tasks))  # type: ignore[arg-type]


def test_a_missing_model_stops_before_anything_is_made(tmp_path: Path) -> None:
    done = command("--seven", "--model", str(tmp_path / "none"), "--folder", str(tmp_path / "made"))
    assert isinstance(done.exception, PackedModelError)
    assert "no packed model" in str(done.exception)
    assert not (tmp_path / "made").exists()


def test_a_board_too_small_is_refused_with_the_numbers(
    made: tuple[PackedModel, list[TaskData]], tmp_path: Path
) -> None:
    board = load_board("nucleo")
    small = board.ram.model_copy(update={"bytes": 32_768})
    target = EmulatedTarget(
        board.model_copy(update={"ram": small}), tmp_path / "device", lambda _: None
    )
    plan = PackedDemoPlan(tmp_path, made[0], target, 3, tmp_path / "registry.sqlite")
    with pytest.raises(FitError, match="too many"):
        demonstrate(plan, lambda _: None)
    assert not (tmp_path / "device").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seven", "--tasks", "digits"), "--tasks cannot be combined with --seven"),
        (("--board", "nucleo"), "--board requires --seven"),
        (("--emulated",), "--emulated requires --seven"),
        (("--seven", "--board", "none"), "Unknown board"),
        (("--seven", "--port", "/dev/null"), "emulated"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    made: tuple[PackedModel, list[TaskData]], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    model = ("--model", str(made[0].folder)) if "--seven" in arguments else ()
    done = command(*arguments, *model, "--folder", str(tmp_path / "made"))
    assert isinstance(done.exception, RbnnError)
    assert said in str(done.exception)
    assert not (tmp_path / "made").exists()


def test_only_the_data_that_were_measured_are_used(
    made: tuple[PackedModel, list[TaskData]], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = made[0].document.tasks[0]
    assert find_data(own) == "no data available"
    digits = own.model_copy(update={"name": "digits"})
    assert find_data(digits) == "not the model's data"
    monkeypatch.delenv("RBNN_DATA", raising=False)
    monkeypatch.setattr(seven, "load", lambda *_, **__: pytest.fail("nothing is downloaded"))
    monkeypatch.setenv("RBNN_CACHE", "/nonexistent")
    assert find_data(own.model_copy(update={"name": "cifar"})) == "no data available"


def test_the_shipped_model_is_whole_and_small() -> None:
    model = PackedModel.read(SHIPPED)
    names = ["cifar", "gtsrb", "scenes", "fashion", "mnist", "emnist", "kws"]
    assert [task.name for task in model.document.tasks] == names
    assert set(model.secrets()) == set(names)
    size = sum(path.stat().st_size for path in SHIPPED.iterdir())
    assert size <= SHIPPED_BYTES_MAX
