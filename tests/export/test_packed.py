"""Packed models: what packing writes, and what is refused when one is read."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packed_models import SAMPLES, TASKS, pack_random_model, random_data

from rbnn.container.errors import ExportError
from rbnn.engine.reference import Reference
from rbnn.export import pack, packed
from rbnn.export.errors import PackedModelError
from rbnn.export.packed import PackedModel
from rbnn.export.probes import SQUARES, probe_images
from rbnn.export.verify import TaskCheck
from rbnn.keys.published import published_provider
from rbnn.keys.secret import Secret
from rbnn.runs.run import Run
from rbnn.spec.published import TEST_ONLY_PROVIDER, TEST_ONLY_PROVIDER_PUBLIC


@pytest.fixture(scope="module")
def model(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> PackedModel:
    return pack_random_model(tmp_path_factory.mktemp("model"), random_export)[0]


@pytest.fixture
def copy(model: PackedModel, tmp_path: Path) -> Path:
    """A folder to damage."""
    return Path(shutil.copytree(model.folder, tmp_path / "packed"))


def test_the_published_provider_is_marked_and_its_public_key_is_the_one_in_containers() -> None:
    assert Secret(TEST_ONLY_PROVIDER).is_test_only
    assert published_provider().public == TEST_ONLY_PROVIDER_PUBLIC


def test_it_holds_what_a_board_needs_and_what_was_measured(model: PackedModel) -> None:
    assert sorted(path.name for path in model.folder.iterdir()) == [
        "TEST-ONLY-secrets.json", "container.bin", "golden.npz", "model.json",
    ]  # fmt: skip
    assert model.container.is_test_only
    assert "TEST-ONLY" in model.document.warning
    run = Run(model.folder.parent / "run")
    assert model.secrets() == run.secrets()
    assert [(t.name, len(t.labels), t.input_channels) for t in model.document.tasks] == list(TASKS)
    for task, data in zip(model.document.tasks, random_data(run), strict=True):
        assert task.fingerprint == data.fingerprint
        assert task.test_samples == SAMPLES
        number = model.container.task_number(task.name)
        reference = Reference.open(model.container, number, model.secrets()[task.name])
        logits = reference.infer(data.test.images).logits
        assert task.accuracy == np.mean(logits.argmax(axis=1) == data.test.labels)
        golden = model.golden[task.name]
        np.testing.assert_array_equal(
            golden.images, probe_images(task.name, model.input_shape(task))
        )
        np.testing.assert_array_equal(golden.logits, reference.infer(golden.images).logits)
    assert "tasks" not in model.document.training
    assert str(model.folder.parent) not in (model.folder / "model.json").read_text()


def test_probes_are_the_same_everywhere() -> None:
    probes = probe_images("kws", (32, 32, 1))
    assert probes.shape == (len(SQUARES), 32, 32, 1)
    for probe, side in zip(probes, SQUARES, strict=True):
        squares = probe[::side, ::side].repeat(side, axis=0).repeat(side, axis=1)
        np.testing.assert_array_equal(probe, squares)
        assert len(np.unique(probe[::side, ::side])) > 10
    assert hashlib.sha256(probes.tobytes()).hexdigest().startswith("469e1c0e8681a9a4")


def test_a_build_can_be_made_from_it(model: PackedModel, tmp_path: Path) -> None:
    export = model.lay_out(tmp_path / "export")
    assert export.read(export.folder).container.data == model.container.data
    assert "#error" in (export.folder / "model_config.h").read_text()


@pytest.mark.parametrize("name", [*packed.FILES, packed.MODEL_FILE])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(PackedModelError, match=name) as caught:
        PackedModel.read(copy)
    assert f"git checkout -- {copy}" in caught.value.fix


@pytest.mark.parametrize("name", packed.FILES)
def test_a_damaged_file_is_named(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(PackedModelError, match=f"{name} is damaged"):
        PackedModel.read(copy)


def test_a_description_of_another_model_is_refused(copy: Path) -> None:
    path = copy / packed.MODEL_FILE
    document = json.loads(path.read_text())
    document["tasks"][0]["name"] = "other"
    path.write_text(json.dumps(document))
    with pytest.raises(PackedModelError, match="do not belong together"):
        PackedModel.read(copy)
    path.write_text("{}")
    with pytest.raises(PackedModelError, match="does not describe a packed model"):
        PackedModel.read(copy)


def test_an_installation_without_the_model_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PackedModelError, match="no packed model"):
        PackedModel.read(tmp_path / "nothing")
    monkeypatch.setattr(packed, "SHIPPED", tmp_path / "site-packages" / "seven")
    for is_installed, fix in ((False, "git checkout"), (True, "pip install --force-reinstall")):
        monkeypatch.setattr(packed, "is_installed", lambda found=is_installed: found)
        with pytest.raises(PackedModelError, match="not installed") as caught:
            PackedModel.read(packed.SHIPPED)
        assert fix in caught.value.fix


def test_secrets_are_published_only_on_request(
    model: PackedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = str(model.folder.parent / "run")
    monkeypatch.setattr("sys.argv", ["pack", run, "--out", str(tmp_path / "out")])
    assert pack.main() == 1
    assert "--publish-secrets" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_packs_measures_and_asks_keras(
    model: PackedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(model.folder.parent / "run")
    monkeypatch.setattr("rbnn.runs.start.load_data", lambda *_: random_data(run))
    arguments = [str(run.folder), "--out", str(tmp_path / "out"), "--publish-secrets"]
    monkeypatch.setattr("sys.argv", ["pack", *arguments])
    assert pack.main() == 0, capsys.readouterr().err
    assert f"of {SAMPLES}; Keras " in capsys.readouterr().out
    made = PackedModel.read(tmp_path / "out")
    assert made.container.data == model.container.data
    for task in made.document.tasks:
        assert task.agreement == 1 and task.keras_accuracy == task.accuracy


def test_integers_that_are_not_what_was_trained_are_not_packed(
    model: PackedModel, tmp_path: Path
) -> None:
    run = Run(model.folder.parent / "run")

    def other(task: str, images: object, forced: object = None) -> object:
        return np.full(SAMPLES, 7)

    with pytest.raises(ExportError, match="Keras and integers"):
        pack.pack(run, random_data(run), tmp_path / "out", other)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_fault_of_the_c_engine_is_not_packed(
    model: PackedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(model.folder.parent / "run")
    wrong = TaskCheck(
        task="colour", samples=4, differing_outputs=3, accuracy=0, keras_accuracy=None,
        agreement=None,
    )  # fmt: skip
    monkeypatch.setattr(pack, "verify_task", lambda *_: wrong)
    with pytest.raises(ExportError, match="differ in 3 output bytes"):
        pack.pack(run, random_data(run), tmp_path / "out")
    assert not (tmp_path / "out").exists()
