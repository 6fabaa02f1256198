"""Whatever is passed to rbnn.Model and rbnn.Board, what is wrong with it is an RbnnError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rbnn
from rbnn.keys.user_key import create_user_key

LARGE = 10**5000


@pytest.fixture(scope="module")
def model(random_export: Callable[..., Any]) -> rbnn.Model:
    return rbnn.Model(random_export().run)


@pytest.fixture
def board(tmp_path: Path) -> rbnn.Board:
    return rbnn.Board("qemu", folder=tmp_path / "device", say=lambda line: None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tasks": ["digits"]}, "tasks must be a text"),
        ({"tasks": None}, "tasks must be a text"),
        ({"steps": "many"}, "steps: .*'many'"),
        ({"width": 3.5}, r"width: .*3\.5"),
        ({"width": LARGE, "seed": "x"}, "seed"),
        ({"windows": {"imu": "long"}}, r"windows\.imu"),
        ({"width": LARGE}, "--width has too many digits"),
        ({"steps": LARGE}, "--steps has too many digits"),
        ({"recipe": ["quick"]}, "recipe must be a text"),
        ({"runs": 3}, "runs must be a path"),
        ({"say": "loud"}, "say must be a function"),
        ({"windows": {"imu": 50}}, "--window names 'imu'"),
        ({"hops": {"imu": 50}}, "--hop names 'imu'"),
    ],
)
def test_training(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(rbnn.RbnnError, match=said) as refusal:
        rbnn.Model.train(**{"tasks": "digits", "runs": tmp_path / "runs", **arguments})
    assert refusal.value.fix
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [3, b"run", "a\0b", "a" * 5000, ["run"]])
def test_opening(tmp_path: Path, name: Any) -> None:
    with pytest.raises(rbnn.RbnnError):
        rbnn.Model.open(name, runs=tmp_path)


def test_a_folder_is_opened_rather_than_wrapped(tmp_path: Path) -> None:
    with pytest.raises(rbnn.RbnnError, match=r"rbnn\.Model\.open takes its name"):
        rbnn.Model(str(tmp_path))  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["tpu", "C", "", None, 3, ["c"], np.zeros(2)])
def test_an_unknown_engine_computes_nothing(model: rbnn.Model, engine: Any) -> None:
    images = np.zeros((1, 32, 32, 3), np.uint8)
    for call in (
        lambda: model.evaluate(engine),
        lambda: model.predict(model.tasks[0], images, engine),
    ):
        with pytest.raises(rbnn.RbnnError, match="no engine") as refusal:
            call()
        assert "keras, reference, c" in refusal.value.fix


def test_an_empty_batch_has_no_classes(model: rbnn.Model) -> None:
    images = np.zeros((0, *model.run.config().input_shape), np.uint8)
    for engine in ("keras", "reference", "c"):
        found = model.predict(model.tasks[0], images, engine)  # type: ignore[arg-type]
        assert found.shape == (0,) and found.dtype == np.int64


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.evaluate("c", wrong_secrets="x"),
        lambda model: model.evaluate("c", wrong_secrets=1.5),
        lambda model: model.labels(0),
        lambda model: model.labels(["digits"]),
        lambda model: model.predict(0, np.zeros((1, 32, 32, 3), np.uint8)),
        lambda model: model.predict(model.tasks[0], None),
        lambda model: model.predict(model.tasks[0], [[LARGE]]),
        lambda model: model.export(3),
        lambda model: model.export(board=3),
        lambda model: model.export(provider_key=None),
    ],
)
def test_a_model(model: rbnn.Model, call: Callable[[rbnn.Model], object]) -> None:
    with pytest.raises(rbnn.RbnnError):
        call(model)


@pytest.mark.parametrize(
    "arguments", [{"name": None}, {"name": 3}, {"port": 3}, {"folder": 3}, {"say": "loud"}]
)
def test_naming_a_board(arguments: dict[str, Any]) -> None:
    with pytest.raises(rbnn.RbnnError, match=f"{next(iter(arguments))} must be"):
        rbnn.Board(**{"name": "qemu", **arguments})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda board, model: board.switch("digits", 5), "user_key must be"),
        (lambda board, model: board.switch(5), "task must be"),
        (lambda board, model: board.infer_files("a.png"), "files must be a list"),
        (lambda board, model: board.infer_files([3]), "files must be a list"),
        (lambda board, model: board.evaluate(None), "model must be"),
        (lambda board, model: board.evaluate(model, samples="all"), "samples must be"),
        (lambda board, model: board.evaluate(model, user_key=5), "user_key must be"),
        (lambda board, model: board.flash(None, "user.key"), "model must be"),
        (lambda board, model: board.flash(model, 5), "user_key must be"),
        (lambda board, model: board.flash(model, "user.key", tasks="imu"), "tasks must be a list"),
        (lambda board, model: board.flash(model, "user.key", registry=5), "registry must be"),
        (lambda board, model: board.flash(model, "user.key", provider_key=5), "provider_key must"),
    ],
)
def test_a_board_is_not_touched(
    model: rbnn.Model, board: rbnn.Board, call: Callable[[Any, Any], object], said: str
) -> None:
    with pytest.raises(rbnn.RbnnError, match=said):
        call(board, model)


@pytest.mark.parametrize("registry", ["foo://x", "/proc/nope/registry.sqlite"])
def test_an_unusable_registry_is_noticed_before_anything_is_made(
    model: rbnn.Model, board: rbnn.Board, tmp_path: Path, registry: str
) -> None:
    key = create_user_key(tmp_path / "user.key")
    provider = tmp_path / "provider.pem"
    with pytest.raises(rbnn.RbnnError, match="registry"):
        board.flash(model, key, provider_key=provider, registry=registry)
    assert not provider.exists() and not (model.folder / "export" / "firmware").exists()
