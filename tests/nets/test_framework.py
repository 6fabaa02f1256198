"""Keras settings of the user, in ``~/.keras/keras.json`` or ``KERAS_HOME``, change nothing.

Each case takes a process: ``make test`` has each kind of file but one in one of the two places,
``make test-full`` all in both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys
early = sys.argv[1] == "early"
if early:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow
    tensorflow.keras.backend
from rbnn.nets.framework import tf
backend = tf.keras.backend
print(backend.image_data_format(), backend.floatx(), backend.epsilon(),
      tf.keras.mixed_precision.global_policy().name, os.environ.get("KERAS_HOME"))
from rbnn.nets.framework import lq
layer = tf.keras.layers.Conv2D(4, 3, padding="same")
print(layer(tf.zeros((1, 32, 32, 3))).shape, lq.layers.QuantConv2D(4, 3).data_format)
"""


def _state(early: bool, **variables: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if name != "KERAS_HOME"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "early" if early else "first"],
        capture_output=True,
        text=True,
        env={**clean, **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


HOSTILE = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.5}
FILES = [
    ("other defaults", json.dumps(HOSTILE | {"backend": "torch"}), False, "HOME"),
    ("read before", json.dumps(HOSTILE), True, "KERAS_HOME"),
    ("impossible", json.dumps({"floatx": "float128", "epsilon": 1}), False, "KERAS_HOME"),
    ("no object", "[1, 2]", False, ""),
]
"""What the file holds, whether Keras was imported before, and where it is in ``make test``."""
FULL = pytest.mark.full


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "early", "place"),
    [
        pytest.param(
            text, early, place, id=f"{name}, {place}", marks=() if place == usual else FULL
        )
        for name, text, early, usual in FILES
        for place in ("KERAS_HOME", "HOME")
    ],
)
def test_keras_json_of_the_user_changes_nothing(
    text: str, early: bool, place: str, tmp_path: Path
) -> None:
    folder = tmp_path if place == "KERAS_HOME" else tmp_path / ".keras"
    folder.mkdir(exist_ok=True)
    (folder / "keras.json").write_text(text)
    kept = str(tmp_path) if place == "KERAS_HOME" else "None"
    assert _state(early, **{place: str(tmp_path)}) == [
        f"channels_last float32 1e-07 float32 {kept}",
        "(1, 32, 32, 4) channels_last",
    ]
    assert (folder / "keras.json").read_text() == text
