"""A model's description in JSON: read as plain data, and rebuilt from what is admitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rbnn.runs.errors import TrainingError
from rbnn.train.foreign import kinds
from rbnn.train.foreign.refusals import no_model

LARGEST_CONFIG = 1 << 24
"""Bytes of a description."""
MOST_LAYERS = 2048
DEEPEST = 100
"""Lists and objects inside each other."""
LARGEST_NUMBER = 1 << 24
"""A whole number: of filters, units, pixels."""
FREE_NUMBERS = ("seed", "shared_object_id")
_KEPT = ("module", "registered_name", "name", "inbound_nodes", "build_config", "shared_object_id")
"""Members of an object beside its class and its config; losses and optimizers are left out."""


@dataclass(frozen=True)
class Admitted:
    """Which layers a model may have.

    Args:
        layers: names of their classes.
        why: completes "Layer NAME (CLASS)" for another one.
        fix: what to do about it.
    """

    layers: frozenset[str]
    why: str
    fix: str


TEACHERS = Admitted(
    kinds.STOCK_LAYERS | kinds.LARQ_LAYERS | kinds.QUANTIZERS | kinds.OPERATIONS,
    "is not one of the layers that rbnn loads: others can hold program code or read files.",
    "Replace the layer, or export the model to TensorFlow Lite.",
)


def checked_config(text: bytes | str, path: Path, admitted: Admitted) -> dict[str, Any]:
    """A model's description, without all that is not needed to compute with it.

    Args:
        text: JSON.
        path: of the model's file, for errors.
        admitted: its layers.

    Raises:
        TrainingError: it is none, or names a class or function that is not admitted.
    """
    if len(text) > LARGEST_CONFIG:
        raise no_model(path, "Keras", "its description is too long")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        said = (
            "its description is nested too deeply" if isinstance(error, RecursionError) else error
        )
        raise no_model(path, "Keras", said) from None
    kind = found.get("class_name") if isinstance(found, dict) else None
    if not isinstance(kind, str) or kind not in kinds.MODELS:
        raise no_model(path, "Keras", "its description is that of no model")
    return _Walk(path, admitted).rebuilt(found)


class _Walk:
    def __init__(self, path: Path, admitted: Admitted) -> None:
        self._path = path
        self._admitted = admitted
        self._layers = 0
        self._modules: dict[str, frozenset[str]] = {}
        for names, modules in kinds.MODULES.items():
            for name in names:
                self._modules[name] = self._modules.get(name, frozenset()) | modules

    def rebuilt(self, found: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._value(found, "", 0)
        return made

    def _value(self, value: Any, key: str, depth: int) -> Any:
        if depth > DEEPEST:
            raise no_model(self._path, "Keras", "its description is nested too deeply")
        if isinstance(value, dict):
            if "class_name" in value:
                return self._object(value, depth)
            return {name: self._value(one, name, depth + 1) for name, one in value.items()}
        if isinstance(value, list):
            return [self._value(one, key, depth + 1) for one in value]
        if isinstance(value, str):
            names = kinds.NAMED.get(key.rsplit("_", 1)[-1])
            if names is not None and kinds.plain(value) not in names:
                self._refuse(f"names {value[:60]!r} as its {key}, which rbnn does not load.")
        elif isinstance(value, int) and abs(value) > LARGEST_NUMBER and key not in FREE_NUMBERS:
            self._refuse(f"has a number beyond {LARGEST_NUMBER:,} as its {key[:60]!r}.")
        return value

    def _object(self, found: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """One object of a class."""
        name = found["class_name"]
        if isinstance(name, str) and name in kinds.DATA:
            members = [one for one in ("config", "items") if one in found]
        else:
            self._check_class(found, name)
            members = [one for one in ("config", *_KEPT) if one in found]
        made = {one: self._value(found[one], one, depth + 1) for one in members}
        return {"class_name": name, **made}

    def _check_class(self, found: Mapping[str, Any], name: object) -> None:
        if not isinstance(name, str):
            self._refuse("has a class without a name.")
        config = found.get("config")
        called = config.get("name") if isinstance(config, dict) else None
        if called is not None and not (isinstance(called, str) and called.isprintable()):
            self._refuse("has a layer whose name is no text.")
        shown = name if name.isidentifier() else ascii(name)[:60]
        if name in kinds.CODE:
            kind = "function" if name in ("function", "__lambda__") else f"{name} layer"
            self._refuse(f"has a {kind}, which is program code.")
        if (name in _LAYERS or name not in self._modules) and name not in self._admitted.layers:
            raise TrainingError(
                f"{self._path.name}: Layer {called} ({shown}) {self._admitted.why}",
                self._admitted.fix,
            )
        module, registered = found.get("module"), found.get("registered_name")
        if module is not None and not (isinstance(module, str) and module in self._modules[name]):
            self._refuse(f"takes {shown} from {ascii(module)[:60]}, which rbnn does not load.")
        if registered not in (None, name, f"Larq>{name}"):
            self._refuse(f"takes {ascii(registered)[:60]} for {shown}.")
        if name in kinds.MODELS or name in _LAYERS:
            self._layers += 1
            if self._layers > MOST_LAYERS:
                self._refuse(f"has more than {MOST_LAYERS} layers.")

    def _refuse(self, what: str) -> NoReturn:
        raise TrainingError(f"{self._path} {what}", self._admitted.fix)


_LAYERS = kinds.STOCK_LAYERS | kinds.LARQ_LAYERS | kinds.OPERATIONS
