"""How all plots look, and how they are written: one SVG and one PNG each.

The colours are those of Okabe and Ito, which colour-blind readers can tell apart; every series also
has its own marker. The same figures give the same bytes.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rbnn.files import write_atomic

INK = "#222222"
FAINT = "#8a8a8a"
GRID = "#dddddd"
DOTS_PER_INCH = 144

RULES: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "rbnn",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Series:
    """How the points of one kind of network are drawn."""

    label: str
    colour: str
    marker: str
    hollow: bool = False

    @property
    def marks(self) -> dict[str, Any]:
        """Arguments of matplotlib's ``plot`` for its markers."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "markerfacecolor": "white" if self.hollow else self.colour,
            "markeredgecolor": self.colour,
            "markersize": 6,
            "linestyle": "none",
        }


SERIES = {
    "single": Series("single-task network", INK, "o", hollow=True),
    "xor": Series("shared, xor", "#0072B2", "o"),
    "sign": Series("shared, sign", "#E69F00", "^"),
    "permute": Series("shared, permute", "#009E73", "s"),
    "none": Series("shared, no key", "#CC79A7", "D"),
}
"""By kind of network."""
WARNING = "#D55E00"
"""For limits."""


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save in this style, whatever the user's ``matplotlibrc`` says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RULES)  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def grid(axes: Axes, direction: str) -> None:
    """Faint lines across ``x``, ``y`` or ``both``."""
    axes.grid(axis=direction, color=GRID, linewidth=0.6)  # type: ignore[arg-type]


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.svg`` and ``name.png`` into ``folder``.

    Returns:
        The two files.

    Raises:
        RbnnError: they cannot be written.
    """
    files = []
    for suffix in ("svg", "png"):
        metadata = {"Date": None} if suffix == "svg" else {"Software": None}
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix, dpi=DOTS_PER_INCH, metadata=metadata)
        write_atomic(folder / f"{name}.{suffix}", buffer.getvalue())
        files.append(folder / f"{name}.{suffix}")
    return files
