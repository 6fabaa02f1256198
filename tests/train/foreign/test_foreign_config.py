"""A model's description from others: only known layers get through, and nothing that is code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rbnn.runs.errors import TrainingError
from rbnn.train.foreign.config import MOST_LAYERS, TEACHERS, Admitted, checked_config

PATH = Path("model.keras")
SYSTEM = {"module": "os", "class_name": "function", "config": "system", "registered_name": None}


def layer(kind: str = "Dense", *, beside: dict[str, Any] | None = None, **config: Any) -> Any:
    """A layer as Keras writes it."""
    return {
        "module": "keras.layers",
        "class_name": kind,
        "config": {"name": "one", "units": 4, **config},
        "registered_name": None,
        **(beside or {}),
    }


def model(*layers: Any, **beside: Any) -> dict[str, Any]:
    """A sequential model of them."""
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "whole", "layers": list(layers)},
        "registered_name": None,
        **beside,
    }


def checked(found: object, admitted: Admitted = TEACHERS) -> dict[str, Any]:
    return checked_config(json.dumps(found), PATH, admitted)


@pytest.mark.parametrize(
    "found",
    [
        layer(activation="relu", kernel_initializer="glorot_uniform"),
        layer(
            kernel_regularizer={"module": "keras.regularizers", "class_name": "L2", "config": {}}
        ),
        layer(
            activation=None, dtype={"module": "keras", "class_name": "DTypePolicy", "config": {}}
        ),
        layer(seed=1 << 40, beside={"shared_object_id": 1 << 47}),
        layer("Identity", kernel_initializer={"class_name": "Identity", "config": {}}),
        layer("TimeDistributed", layer=layer()),
        layer("QuantDense", input_quantizer="ste_sign", beside={"module": "larq.layers"}),
        layer("TrueDivide", beside={"module": "keras.src.ops.numpy"}),
        layer(shape={"class_name": "__tuple__", "items": [1, 2]}),
        model(layer()),
    ],
)
def test_what_keras_and_larq_write_stays(found: Any) -> None:
    assert checked(model(found)) == model(found)


def test_losses_and_optimizers_are_left_out_wherever_they_are() -> None:
    compiled = {"optimizer": "adam", "loss": SYSTEM}
    inner = model(layer(), compile_config=compiled)
    assert checked(model(inner, compile_config=compiled)) == model(model(layer()))


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (layer("Lambda", function=SYSTEM), "has a Lambda layer, which is program code"),
        (layer("TFOpLambda", function="print"), "has a TFOpLambda layer, which is program code"),
        (layer("SlicingOpLambda"), "has a SlicingOpLambda layer, which is program code"),
        (layer("TorchModuleWrapper"), "has a TorchModuleWrapper layer, which is program code"),
        (layer("TFSMLayer", filepath="/x"), "has a TFSMLayer layer, which is program code"),
        (layer(activation=SYSTEM), "has a function, which is program code"),
        (layer("TimeDistributed", layer=layer("Lambda")), "has a Lambda layer"),
        (model(layer("Lambda")), "has a Lambda layer"),
        (layer(beside={"build_config": {"input_shape": SYSTEM}}), "which is program code"),
        (layer(beside={"inbound_nodes": [[["_CONSTANT_VALUE", -1, SYSTEM, {}]]]}), "program code"),
        (layer("StringLookup", vocabulary="/etc/passwd"), r"Layer one \(StringLookup\) is not one"),
        (layer("Popen", beside={"module": "subprocess"}), r"Layer one \(Popen\) is not one"),
        (layer("\x1b[2J"), r"Layer one \('\\x1b\[2J'\) is not one"),
        (layer(beside={"module": "subprocess"}), "takes Dense from 'subprocess'"),
        (layer(beside={"module": ["os"]}), r"takes Dense from \['os'\]"),
        (layer(beside={"registered_name": "mine>Dense"}), "takes 'mine>Dense' for Dense"),
        (layer(activation="deserialize"), "names 'deserialize' as its activation"),
        (layer(kernel_initializer="os.system"), "as its kernel_initializer"),
        (layer(input_quantizer=["ste_sign", "eval"]), "names 'eval' as its input_quantizer"),
        (layer(name="a\nb"), "a layer whose name is no text"),
        (layer(["Dense"]), "has a class without a name"),  # type: ignore[arg-type]
        (layer(units=10**30), "has a number beyond 16,777,216 as its 'units'"),
    ],
)
def test_code_and_strangers_are_refused(found: Any, what: str) -> None:
    with pytest.raises(TrainingError, match=what) as caught:
        checked(model(found))
    assert caught.value.what.isprintable()
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[" * 100_000, "is nested too deeply"),
        (json.dumps(model({"a": json.loads("[" * 200 + "]" * 200)})), "is nested too deeply"),
        ("{", "is not a Keras model that can be read"),
        ("[]", "is that of no model"),
        (json.dumps(layer()), "is that of no model"),
        (json.dumps({"class_name": ["Sequential"]}), "is that of no model"),
        (" " * (1 << 25), "is too long"),
        (json.dumps(model(*[layer()] * MOST_LAYERS)), f"has more than {MOST_LAYERS} layers"),
    ],
)  # fmt: skip
def test_a_description_that_is_too_much_is_refused(text: str, what: str) -> None:
    with pytest.raises(TrainingError, match=what):
        checked_config(text, PATH, TEACHERS)
