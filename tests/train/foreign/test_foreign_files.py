"""Hostile model files: loading runs no code, and neither reads nor writes another file."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from rbnn.errors import RbnnError
from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingError
from rbnn.train.float_model import FloatModel
from rbnn.train.imported.importing import open_model

LOADERS = [FloatModel, open_model]


def base() -> Any:
    layers = tf.keras.layers
    picture = layers.Input((32, 32, 3), name="picture")
    x = layers.Activation("relu", name="middle")(layers.Flatten(name="flat")(picture))
    return tf.keras.Model(picture, layers.Dense(4, name="last")(x))


def write_lite(path: Path, model: Any) -> Path:
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    return path


def change_middle(config: dict[str, Any], kind: str, inputs: Any, **members: Any) -> None:
    """Make the middle layer another one that reads ``inputs``; the last reads the first."""
    layers = {one["config"]["name"]: one for one in config["config"]["layers"]}
    middle = layers["middle"]
    middle.update(class_name=kind, inbound_nodes=inputs)
    middle["config"] = {"name": "middle", "trainable": True, "dtype": "float32", **members}
    middle.pop("build_config", None)
    layers["last"]["inbound_nodes"] = [[["flat", 0, 0, {}]]]


def rewritten_zip(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    base().save(folder / "base.keras")
    path = folder / "hostile.keras"
    with zipfile.ZipFile(folder / "base.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return path


@pytest.mark.parametrize("load", LOADERS)
def test_a_function_that_a_keras_file_names_is_not_called(
    tmp_path: Path, load: Callable[[Path], object]
) -> None:
    marker = tmp_path / "marker"
    function = {
        "module": "os", "class_name": "function", "config": "mkdir", "registered_name": "function",
    }  # fmt: skip
    path = rewritten_zip(
        tmp_path,
        lambda config: change_middle(
            *(config, "Lambda", [[["_CONSTANT_VALUE", -1, str(marker), {}]]]),
            function=function, function_type="function", output_shape=None,
            output_shape_type="raw", arguments={},
        ),
    )  # fmt: skip
    with pytest.raises(RbnnError, match="has a Lambda layer, which is program code"):
        load(path)
    assert not marker.exists()


@pytest.mark.parametrize("load", LOADERS)
def test_an_hdf5_file_called_keras_is_read_as_what_it_is(
    tmp_path: Path, load: Callable[[Path], object]
) -> None:
    marker = tmp_path / "marker"
    layers = tf.keras.layers

    def code(x: Any, place: str = str(marker)) -> Any:
        open(place, "w").close()
        return x

    model = tf.keras.Sequential([layers.Input((32, 32, 3)), layers.Lambda(code), layers.Flatten()])
    model.save(tmp_path / "hostile.h5")
    marker.unlink()
    shutil.copy(tmp_path / "hostile.h5", tmp_path / "hostile.keras")
    with pytest.raises(RbnnError, match="has a Lambda layer, which is program code"):
        load(tmp_path / "hostile.keras")
    assert not marker.exists()


@pytest.mark.parametrize("load", LOADERS)
def test_an_operation_of_tensorflow_is_not_called(
    tmp_path: Path, load: Callable[[Path], object]
) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / "hostile.h5"
    base().save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        inputs = [["_CONSTANT_VALUE", -1, "text", {"output_stream": f"file://{marker}"}]]
        change_middle(config, "TFOpLambda", inputs, function="print")
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(RbnnError, match="has a TFOpLambda layer, which is program code"):
        load(path)
    assert not marker.exists()


def test_the_content_says_what_a_file_is_not_its_name(tmp_path: Path) -> None:
    model = base()
    model.save(tmp_path / "one.h5")
    model.save(tmp_path / "two.keras")
    write_lite(tmp_path / "three.tflite", model)
    for name, other in (("one.h5", "a.tflite"), ("two.keras", "b.h5"), ("three.tflite", "c.keras")):
        shutil.copy(tmp_path / name, tmp_path / other)
        assert FloatModel(tmp_path / other).classes == 4


def test_a_folder_of_a_saved_model_is_not_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "model.keras"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(TrainingError, match="it is a folder"):
        FloatModel(folder)


def link(file: h5py.File, other: Path) -> None:
    file["last/other"] = h5py.ExternalLink(str(other), "/secret")


def shortcut(file: h5py.File, other: Path) -> None:
    file["last/other"] = h5py.SoftLink("/last")


def virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(str(other), "secret", (3,))
    file.create_virtual_dataset("last/other", layout)


def outside(file: h5py.File, other: Path) -> None:
    file.create_dataset("last/other", (3,), "f4", external=[(str(other), 0, 12)])


def bomb(file: h5py.File, other: Path) -> None:
    file.create_dataset("last/other", (1 << 40,), "f4", chunks=(1 << 20,))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (link, "links to other places or files"),
        (shortcut, "links to other places or files"),
        (virtual, "takes weights from other files"),
        (outside, "takes weights from other files"),
        (bomb, "unpacks to more than it can hold"),
    ],
)
@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_weights_are_in_the_file_and_no_more_than_it_holds(
    tmp_path: Path, change: Callable[[h5py.File, Path], None], what: str, suffix: str
) -> None:
    other = tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.ones(3, np.float32)
    path = tmp_path / f"model.{suffix}"
    base().save(path)
    weights = path
    if suffix == "keras":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "parts")
        weights = tmp_path / "parts" / "model.weights.h5"
    with h5py.File(weights, "r+") as file:
        change(file, other)
    if suffix == "keras":
        with zipfile.ZipFile(path, "w") as archive:
            for part in (tmp_path / "parts").iterdir():
                archive.write(part, part.name)
    with pytest.raises(TrainingError, match=what):
        FloatModel(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (8 << 20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(TrainingError, match="unpacks to more than it can hold"):
        FloatModel(path)


def test_an_operator_that_is_not_tensorflow_lites_own_is_refused(tmp_path: Path) -> None:
    from tensorflow.lite.tools import flatbuffer_utils

    path = write_lite(tmp_path / "model.tflite", base())
    model = flatbuffer_utils.read_model(str(path))
    code = model.operatorCodes[0]
    code.builtinCode = code.deprecatedBuiltinCode = 32  # custom
    code.customCode = b"FlexWriteFile"
    flatbuffer_utils.write_model(model, str(path))
    with pytest.raises(TrainingError, match="has the operator 'FlexWriteFile', which is not one"):
        FloatModel(path)
