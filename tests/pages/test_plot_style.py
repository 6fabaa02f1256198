"""Plots look the same for every user."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rbnn.pages.plot_style import new_figure, styled


def test_settings_of_the_user_change_no_plot() -> None:
    def drawn() -> np.ndarray:
        with styled():
            figure = new_figure(3, 2)
            axes = figure.subplots()
            axes.plot([1, 2], label="a line")
            axes.legend()
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            return np.asarray(canvas.buffer_rgba()).copy()

    plain = drawn()
    hostile = {"figure.dpi": 30, "lines.linewidth": 9, "legend.fontsize": 40, "axes.xmargin": 0.4}
    with matplotlib.rc_context(hostile):  # type: ignore[arg-type]
        assert np.array_equal(drawn(), plain)
        assert matplotlib.rcParams["legend.fontsize"] == 40
