"""The JSON form of a network: its layers, in running order.

Each layer has the members that the method of its ``op`` takes in
:class:`rbnn.nets.own.builder.Net`. ``name`` names it for later layers; ``input`` is the name of the
layer that it reads, by default the one before it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from rbnn.frozen import Frozen
from rbnn.nets.errors import NetworkError
from rbnn.nets.own.builder import Net
from rbnn.nets.own.layers import Value


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("a name has letters that can be printed")
    return name


LayerName = Annotated[str, AfterValidator(_printable)]


class _Strict(Frozen):
    """A layer; numbers are numbers, not text."""

    model_config = ConfigDict(strict=True)

    name: LayerName | None = None


class StemLayer(_Strict):
    """:meth:`Net.stem`."""

    op: Literal["stem"]
    filters: int
    kernel: int = 3
    stride: int = 1
    pad: int | None = None
    pool: int = 1
    stream: bool | None = None
    activation: str | None = None
    sign: str | None = None


class _Reading(_Strict):
    """A layer that reads another one."""

    input: str | None = None


class ConvLayer(_Reading):
    """:meth:`Net.conv`."""

    op: Literal["conv"]
    filters: int
    kernel: int = 3
    stride: int = 1
    pad: int | None = None
    shortcut: str | None = None
    stream: bool | None = None
    activation: str | None = None
    sign: str | None = None


class MaxPoolLayer(_Reading):
    """:meth:`Net.max_pool`."""

    op: Literal["max_pool"]
    window: int = 2
    stride: int | None = None


class AveragePoolLayer(_Reading):
    """:meth:`Net.average_pool`."""

    op: Literal["average_pool"]
    window: int | None = None


class DenseLayer(_Reading):
    """:meth:`Net.dense`."""

    op: Literal["dense"]
    reads: str | None = None


LAYERS: dict[str, type[_Strict]] = {
    "stem": StemLayer,
    "conv": ConvLayer,
    "max_pool": MaxPoolLayer,
    "average_pool": AveragePoolLayer,
    "dense": DenseLayer,
}
AnyLayer = Annotated[
    StemLayer | ConvLayer | MaxPoolLayer | AveragePoolLayer | DenseLayer, Field(discriminator="op")
]


class NetworkDocument(Frozen):
    """A network in JSON."""

    layers: tuple[AnyLayer, ...] = Field(min_length=1)

    def build(self, net: Net, places: list[str]) -> None:
        """Describe the network to ``net``.

        Args:
            net: empty.
            places: its last entry is where the document is at the moment.

        Raises:
            NetworkError: a layer does not fit, or names one that is not before it.
        """
        named: dict[str, Value] = {}
        last: Value | None = None
        for number, layer in enumerate(self.layers):
            places[-1] = place(places[0], number, layer.name)
            if layer.name in named:
                raise NetworkError(
                    f"{places[-1]}: two layers have the name {layer.name!r}.", "Rename one of them."
                )

            def find(name: str, here: str = places[-1]) -> Value:
                if name not in named:
                    known = ", ".join(named) or "none has a name"
                    raise NetworkError(
                        f"{here}: no layer before it has the name {name!r}.",
                        f"Layers before it: {known}.",
                    )
                return named[name]

            values: dict[str, Any] = layer.model_dump(exclude={"op", "name", "input"})
            if values.get("shortcut") is not None:
                values["shortcut"] = find(values["shortcut"])
            if isinstance(layer, _Reading):
                source = last if layer.input is None else find(layer.input)
                if source is None:
                    raise NetworkError(
                        f"{places[-1]}: the first layer is a {layer.op}.",
                        "Begin with a stem, which reads the picture.",
                    )
                values["x"] = source
            last = getattr(net, layer.op)(**values)
            if layer.name is not None:
                assert last is not None
                named[layer.name] = last


def place(file: str, number: int, name: str | None) -> str:
    """Where a layer is in a file: ``net.json, layers[3] "body"``."""
    return f"{file}, layers[{number}]" + ("" if name is None else f' "{name}"')
