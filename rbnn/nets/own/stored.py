"""A finished topology as a run stores it: every layer with all that it is, no file needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from rbnn.frozen import Frozen
from rbnn.nets.device_rules import check_graph, check_size
from rbnn.nets.errors import NetworkError
from rbnn.nets.padding import pad
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec.layout import Activation, Output, Sign, Stage
from rbnn.spec.operators import OPERATORS


class StoredLayer(Frozen):
    """One :class:`rbnn.nets.topology.Layer`; names in small letters, members at their default left
    out. ``input`` and ``output`` are shapes, ``writes`` what it writes."""

    op: str
    input: Shape
    output: Shape
    source: int
    kernel: int = 0
    stride: int = 1
    pad: int = 0
    pool: int = 1
    stage: str = "none"
    shortcut: int | None = None
    activation: str = "none"
    sign: str = "zero"
    writes: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _write(self, write_fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        values: Mapping[str, Any] = write_fields(self)
        return {name: value for name, value in values.items() if value != fields[name].default}

    @classmethod
    def of(cls, layer: Layer) -> StoredLayer:
        """A layer's record."""
        same = {name: getattr(layer, name) for name in ("source", "kernel", "stride", "pad")}
        return cls(
            op=layer.op.name,
            input=layer.in_shape,
            output=layer.out_shape,
            **same,
            pool=layer.pool,
            stage=layer.stage.name.lower(),
            shortcut=layer.shortcut,
            activation=layer.activation.name.lower(),
            sign=layer.sign.name.lower(),
            writes=tuple(str(one.name).lower() for one in layer.output),
        )

    def layer(self) -> Layer:
        """The layer.

        Raises:
            KeyError: a name of a kind that this version does not have.
        """
        output = Output.NONE
        for one in self.writes:
            output |= Output[one.upper()]
        return Layer(
            {op.name: op for op in OPERATORS.values()}[self.op],
            self.input,
            self.output,
            self.source,
            self.kernel,
            self.stride,
            self.pad,
            self.pool,
            Stage[self.stage.upper()],
            self.shortcut,
            Activation[self.activation.upper()],
            Sign[self.sign.upper()],
            output,
        )


class StoredNetwork(Frozen):
    """A network of the user's own; ``file`` is the name of the file that described it."""

    name: str
    file: str
    layers: tuple[StoredLayer, ...]

    @model_validator(mode="after")
    def _check(self) -> StoredNetwork:
        try:
            topology = self.topology(self.layers[-1].output[2])
            for number in range(len(topology.layers)):
                check_size(topology, number)
            check_graph(pad(topology).topology)
        except (IndexError, KeyError, NetworkError) as error:
            raise ValueError(f"no network of this version ({error})") from error
        return self

    @classmethod
    def of(cls, topology: Topology, file: str) -> StoredNetwork:
        """What a run stores of a network that ``file`` describes."""
        layers = tuple(StoredLayer.of(layer) for layer in topology.layers)
        return cls(name=topology.architecture, file=file, layers=layers)

    def topology(self, max_classes: int) -> Topology:
        """The network for so many classes."""
        *body, last = (one.layer() for one in self.layers)
        last = replace(last, out_shape=(1, 1, max_classes))
        return Topology(self.name, self.layers[0].input, max_classes, (*body, last))
