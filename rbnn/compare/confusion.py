"""Confusion matrix of one task: which classes are mistaken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from rbnn.pages.plot_style import INK, new_figure

Counts = npt.NDArray[np.int64]
MOST_WITH_NUMBERS = 16
"""Up to this many classes, every cell shows its share."""
LONGEST_LABEL = 16


def confusion_counts(matrices: Sequence[Sequence[Sequence[int]]]) -> Counts:
    """Samples of all seeds: (classes, classes) int64, rows true, columns predicted."""
    return np.asarray(np.sum(np.array(matrices, np.int64), axis=0), np.int64)


def confusion_matrix(title: str, labels: Sequence[str], counts: Counts) -> Figure:
    """Shares of each true class, as colours and, if there is room, as percentages.

    The colour scale is a square root, so that rare confusions show beside the diagonal.

    Args:
        title: of the plot.
        labels: class names.
        counts: (classes, classes) int64, from :func:`confusion_counts`.
    """
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = len(labels)
    cell = 0.38 if classes <= MOST_WITH_NUMBERS else 0.17
    figure = new_figure(2.6 + cell * classes, 2.1 + cell * classes)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 100), aspect="equal")
    names = [name if len(name) <= LONGEST_LABEL else name[:15] + "…" for name in labels]
    size = 8 if classes <= MOST_WITH_NUMBERS else 6
    axes.set_xticks(range(classes), names, rotation=90, fontsize=size)
    axes.set_yticks(range(classes), names, fontsize=size)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    figure.suptitle(title, x=0.01, ha="left", fontsize=9, fontweight="bold")
    if classes <= MOST_WITH_NUMBERS:
        for (row, column), share in np.ndenumerate(shares):
            if counts[row, column]:
                axes.text(
                    column, row, f"{share:.0f}" if share >= 0.95 else "<1", ha="center",
                    va="center", fontsize=7, color="white" if share > 40 else INK,
                )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, shrink=0.6, ticks=[0, 1, 5, 20, 50, 100], pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("% of the true class")
    return figure
