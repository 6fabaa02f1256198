"""A model that does not fit devices: the first layer at fault is named, with what would fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from larq_models import BINARY, FIRST, conv, layers, make_task

from rbnn.errors import RbnnError
from rbnn.nets.framework import lq, tf
from rbnn.train.imported.importing import Wishes, import_model
from rbnn.train.imported.nodes import Affine, Notes
from rbnn.train.imported.read import read_model


def begin(x: Any, **options: Any) -> Any:
    return layers.BatchNormalization()(lq.layers.QuantConv2D(32, 3, **{**FIRST, **options})(x))


def end(x: Any) -> Any:
    return lq.layers.QuantDense(5, **BINARY)(layers.Flatten()(x))


def normed(x: Any) -> Any:
    return layers.BatchNormalization()(x)


def falling(x: Any) -> Any:
    """A pool in front of a batch norm with negative gammas."""
    x = layers.MaxPooling2D(2)(conv(32)(begin(x)))
    return end(layers.BatchNormalization(gamma_initializer=tf.keras.initializers.Constant(-1))(x))


def added(x: Any) -> Any:
    """A shortcut around nothing."""
    return end(layers.Add()([begin(x), begin(x)]))


CASES: list[tuple[Callable[[Any], Any], str, str]] = [
    (lambda x: end(conv(32, padding="same", name="c")(begin(x))),
     "Layer c (QuantConv2D) pads bits with 0; devices pad them with 1.", "pad_values=1.0"),
    (lambda x: end(conv(32, padding="same", pad_values=1.0, strides=2, name="c")(begin(x))),
     "Layer c (QuantConv2D) pads unevenly: window 3, stride 2 and 30x30 pixels give 0+1", "Zero"),
    (lambda x: end(begin(x, padding="same", name="c", pad_values=1.0)),
     "Layer c (QuantConv2D) pads the picture with 1.", "pad_values=0.0"),
    (lambda x: end(begin(x, input_quantizer="ste_sign", name="c")),
     "Layer c (QuantConv2D) reads the signs of the picture", "without an input_quantizer"),
    (lambda x: end(layers.Conv2D(32, 3, name="c")(begin(x))),
     "Layer c (Conv2D) reads numbers; this operator", "input_quantizer ste_sign"),
    (lambda x: end(conv(32, kernel_quantizer=None, kernel_constraint=None, name="c")(begin(x))),
     "Layer c (QuantConv2D) has a float kernel", "kernel_quantizer ste_sign"),
    (lambda x: end(conv(32, kernel_quantizer="ste_tern", name="c")(begin(x))),
     "Layer c (QuantConv2D) quantizes its kernel with ste_tern", "magnitude_aware_sign"),
    (lambda x: end(conv(32, input_quantizer="dorefa_quantizer", name="c")(begin(x))),
     "Layer c (QuantConv2D) quantizes its input with", "approx_sign"),
    (lambda x: end(conv(32, 9, name="c")(begin(x))),
     "Layer c of the model: Layer 1 (conv) has a window of 9x9", "The nearest is 7"),
    (lambda x: end(conv(32, (3, 1), name="c")(begin(x))),
     "Layer c (QuantConv2D) has window of 3x1", "square window"),
    (lambda x: end(conv(32, dilation_rate=2, name="c")(begin(x))),
     "Layer c (QuantConv2D) has dilation_rate (2, 2)", "(1, 1)"),
    (lambda x: end(conv(32, activation="relu", name="c")(begin(x))),
     "Layer c (QuantConv2D) applies relu to its sums", "no activation"),
    (lambda x: end(layers.ReLU(name="r")(begin(x))),
     "Layer r (ReLU) is of a kind that no operator of devices has", "BatchNormalization"),
    (lambda x: end(layers.Activation("tanh", name="t")(begin(x))),
     "Layer t (Activation) applies tanh", "ste_sign"),
    (falling, "has a negative gamma in 32 of 32 channels, and a MaxPooling2D before it",
     "BatchNormalization in front of MaxPooling2D"),
    (added, "adds no convolution that only it reads", "the stream before it"),
    (lambda x: end(layers.AveragePooling2D(3, 3, name="a")(begin(x))),
     "Layer a (AveragePooling2D) averages 3x3 pixels", "Flatten"),
    (lambda x: end(layers.MaxPooling2D(2, padding="same", name="m")(conv(32, 2)(begin(x)))),
     "Layer m (MaxPooling2D) pads", 'padding="valid"'),
    (lambda x: end(conv(32, name="c")(layers.AveragePooling2D(2)(begin(x)))),
     "Layer c (QuantConv2D) reads the signs of an average", "the signs of a convolution"),
    (lambda x: end(normed(layers.Dropout(0.1)(normed(conv(32)(begin(x)))))),
     "does not follow a convolution or a dense layer", "Add if any"),
    (lambda x: end(layers.BatchNormalization(name="b")(layers.ZeroPadding2D()(conv(32)(begin(x))))),
     "Layer b (BatchNormalization) does not follow a convolution", "MaxPooling2D if any"),
    (lambda x: layers.GlobalAveragePooling2D()(conv(5)(begin(x))),
     "The model does not end with a dense layer", "QuantDense or Dense"),
    (lambda x: end(normed(lq.layers.QuantDense(32, **BINARY, name="d")(
        layers.Flatten()(begin(x))))),
     "Layer d of the model: Layer 1 (conv) has a window of 30x30", "7"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "what", "fix"), CASES)
def test_the_layer_at_fault_is_named(
    tmp_path: Path, build: Callable[[Any], Any], what: str, fix: str
) -> None:
    picture = tf.keras.Input((32, 32, 3))
    tf.keras.Model(picture, build(picture)).save(tmp_path / "model.h5")
    with pytest.raises(RbnnError) as caught:
        import_model(
            tmp_path / "runs", tmp_path / "model.h5", make_task(), Wishes(0.01, -1), lambda _: None
        )
    assert caught.value.what.startswith("model.h5: ")
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert not (tmp_path / "runs").exists()


NORM = ("gamma", "beta", "mean", "variance")


@pytest.mark.parametrize(
    ("name", "member", "value", "what"),
    [
        ("norm1", "gamma", np.nan, "Layer norm1 (BatchNormalization) has a gamma that is not"),
        ("norm2", "gamma", np.inf, "Layer norm2 (BatchNormalization) has a gamma that is not"),
        ("norm2", "beta", np.nan, "Layer norm2 (BatchNormalization) has a beta that is not"),
        ("norm3", "mean", -np.inf, "Layer norm3 (BatchNormalization) has a mean that is not"),
        ("norm1", "variance", np.inf, "Layer norm1 (BatchNormalization) has a variance that is"),
        ("norm2", "variance", np.nan, "Layer norm2 (BatchNormalization) has a variance that is"),
        ("norm2", "variance", -1.0, "Layer norm2 (BatchNormalization) has a negative variance"),
        (
            "norm3",
            "variance",
            0.0,
            "Layer norm3 (BatchNormalization) divides by a variance of zero",
        ),
        ("conv", "bias", np.nan, "Layer conv (QuantConv2D) has a bias that is not finite"),
        ("dense", "bias", np.inf, "Layer dense (QuantDense) has a bias that is not finite"),
    ],
)
def test_a_layer_with_values_that_are_no_numbers_is_named(
    name: str, member: str, value: float, what: str
) -> None:
    picture = tf.keras.Input((32, 32, 3))
    x = lq.layers.QuantConv2D(32, 3, name="stem", **FIRST)(picture)
    x = layers.BatchNormalization(name="norm1")(x)
    x = layers.BatchNormalization(name="norm2")(conv(32, name="conv", use_bias=True)(x))
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    x = lq.layers.QuantDense(5, name="dense", **{**BINARY, "use_bias": True})(x)
    model = tf.keras.Model(picture, layers.BatchNormalization(name="norm3", epsilon=0.0)(x))
    layer = model.get_layer(name)
    values = layer.get_weights()
    values[NORM.index(member) if member in NORM else 1].flat[0] = value
    layer.set_weights(values)
    pixels = Affine(np.full(3, 0.01), np.full(3, -1.0))
    with pytest.raises(RbnnError) as caught:
        read_model(model, pixels, Notes())
    assert caught.value.what.startswith(what)
    assert caught.value.fix


def saved(folder: Path, shape: tuple[int, int, int] = (32, 32, 3), classes: int = 5) -> Path:
    picture = tf.keras.Input(shape)
    made = lq.layers.QuantDense(classes, **BINARY)(layers.Flatten()(begin(picture)))
    tf.keras.Model(picture, made).save(folder / "model.h5")
    return folder / "model.h5"


@pytest.mark.parametrize(
    ("shape", "classes", "what"),
    [
        ((28, 28, 1), 5, "takes 28x28x1; the samples of task mine are 32x32x3"),
        ((32, 32, 1), 5, "takes 32x32x1; the samples of task mine are 32x32x3"),
        ((32, 32, 3), 7, "has 7 outputs; task mine has 5 classes: class0, class1"),
    ],
)
def test_a_model_of_other_data_is_refused(
    tmp_path: Path, shape: tuple[int, int, int], classes: int, what: str
) -> None:
    with pytest.raises(RbnnError, match=what):
        import_model(
            tmp_path / "runs",
            saved(tmp_path, shape, classes),
            make_task(),
            Wishes(),
            lambda _: None,
        )


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"nothing")
    with pytest.raises(RbnnError, match="is not a Keras model that can be read"):
        import_model(tmp_path, tmp_path / "model.h5", make_task(), Wishes(), lambda _: None)
    with pytest.raises(RbnnError, match="There is no model"):
        import_model(tmp_path, tmp_path / "none.h5", make_task(), Wishes(), lambda _: None)


def test_a_model_that_guesses_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    task = make_task(classes=5)
    constant = Wishes()
    result = import_model(tmp_path / "runs", saved(tmp_path), task, constant, said.append)
    guesses = any("better than guessing" in note for note in result.notes)
    assert said[0].startswith("Pixels ")
    share = float(said[0].split("%")[0].split()[-1]) / 100
    assert guesses == (share <= np.bincount(task.train.labels).max() / len(task.train))
