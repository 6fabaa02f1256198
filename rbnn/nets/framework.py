"""The one import of TensorFlow: with the Keras 2 API that Larq 0.14 needs, and without its log.

Keras reads defaults from ``keras.json`` in the user's home or ``KERAS_HOME``. rbnn's networks have
their channels last and compute in float32, whatever that file says: it is neither read nor written.

Every module that needs TensorFlow says ``from rbnn.nets.framework import tf``.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rbnn.errors import RbnnError


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back what libraries write to stderr; it is shown only if an error is raised.

    Their lines come from C++ before any log level is read, so the file descriptor itself is
    redirected.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def no_user_settings() -> Iterator[None]:
    """While Keras is imported, its folder of settings is an empty one."""
    users = os.environ.get("KERAS_HOME")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["KERAS_HOME"] = empty
        try:
            yield
        finally:
            if users is None:
                del os.environ["KERAS_HOME"]
            else:
                os.environ["KERAS_HOME"] = users


def import_quietly(name: str) -> Any:
    """Import a module whose libraries write to stderr while they load."""
    with quiet():
        return importlib.import_module(name)


if sys.modules.get("tensorflow") is not None and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise RbnnError(
        "TensorFlow was imported with Keras 3, which Larq does not work with.",
        "Import rbnn.nets before tensorflow, or set TF_USE_LEGACY_KERAS=1.",
    )
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with no_user_settings():
    tf = import_quietly("tensorflow")
    lq = import_quietly("larq")
    _backend = tf.keras.backend  # imports Keras
# Keras may have been imported, with the user's settings, before this module.
_backend.set_image_data_format("channels_last")
_backend.set_floatx("float32")
_backend.set_epsilon(1e-7)
tf.keras.mixed_precision.set_global_policy("float32")
# Each task's model is traced once, but TensorFlow takes that for one function traced repeatedly.
tf.get_logger().addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)
for _gpu in tf.config.list_physical_devices("GPU"):
    # Allocate memory as needed, not all at once: others may use the GPU too.
    tf.config.experimental.set_memory_growth(_gpu, True)
