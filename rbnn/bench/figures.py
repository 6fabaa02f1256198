"""The figures of the benchmark on a board, as data."""

from __future__ import annotations

from rbnn.frozen import Frozen
from rbnn.image.board import CountUnit
from rbnn.image.sizes import SizeReport


class KeyStream(Frozen):
    """The cipher on its own, including the xor with the stored bits."""

    rounds: int
    bytes: int
    counts: int


class Spread(Frozen):
    """Fewest and most counts over many inputs; equal if timing does not depend on data."""

    name: str
    inputs: int
    least: int
    most: int


class BenchLayer(Frozen):
    """One layer.

    ``instructions`` and ``instructions_per_mac`` are with streaming reconfiguration, ``..._plain``
    with the task's weights unencrypted, ``..._resident`` with weights that an earlier run
    reconfigured and kept (standard layers); on a real board they are cycles
    (``BenchFigures.unit``).
    ``macs`` are nominal, padding included; 0 for a pool, which has no rates. ``peer`` and
    ``peer_per_mac`` are the best other engine and its rate, only for standard layers and only in
    instructions. ``reconfiguration_share`` is a share of ``instructions``.
    """

    name: str
    operator: str
    shape: str
    macs: int
    instructions: int
    instructions_plain: int
    instructions_per_mac: float | None
    instructions_per_mac_plain: float | None
    instructions_per_mac_resident: float | None = None
    reconfiguration_share: float
    crc_ok: bool
    goal: float | None = None
    goal_plain: float | None = None
    peer: str | None = None
    peer_per_mac: float | None = None


class BenchNetwork(Frozen):
    """A whole network.

    ``peer_instructions`` is an estimate of the same network at the peers' best rates, ``ratio`` how
    many times fewer it takes here; None in cycles, as the peers were not run on a real board.
    ``reconfiguration_share`` is a share of ``instructions``.
    """

    architecture: str
    width: int | None
    depth: int | None
    stages: int | None
    cipher: str
    input_shape: tuple[int, int, int]
    bits: int
    macs: int
    instructions: int
    instructions_plain: int
    reconfiguration_share: float
    peer_instructions: int | None
    ratio: float | None


class BenchApplication(Frozen):
    """The product firmware with that network. Bytes, and instructions if it could run.

    ``code`` is flash without the model; ``ram`` includes the whole stack reserve, ``peak_ram`` only
    the stack that was used.
    """

    code: int
    ram: int
    peak_ram: int | None
    stack_used: int | None
    switch: int | None
    inference: int | None
    sizes: SizeReport


class BenchFigures(Frozen):
    """Everything that was measured on one board."""

    board: str
    title: str
    cpu: str
    unit: CountUnit
    work_bytes: int
    layers: tuple[BenchLayer, ...]
    network: BenchNetwork | None
    key: int
    key_streams: tuple[KeyStream, ...]
    spreads: tuple[Spread, ...]
    application: BenchApplication | None
    compiler: str
    emulator: str | None
    command: str

    def layer(self, name: str) -> BenchLayer:
        """The layer called ``name``."""
        return next(layer for layer in self.layers if layer.name == name)
