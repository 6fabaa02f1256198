"""Sensor series, time by channels: files to windows, and windows to bytes.

A window's values in order of time, the channels of one time step together, fill the input in order
of row, column, channel. So 200 steps of 6 channels fill an input of 200x6x1 or of 20x20x3 alike. A
value becomes ``floor((value - mean) * factor + 128.5)``, limited to 0..255, in single precision.
Mean and factor are the channel's own; the factor is 32 by the standard deviation. Both are those of
the training part, and travel with the task. Where the factor is 0, every value becomes 128, even
one whose distance from the mean is infinite in single precision.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rbnn.spec.series import (
    MAX_SERIES_CHANNELS,
    MAX_SERIES_STEPS,
    MIDDLE,
    STEPS_PER_DEVIATION,
    Series,
)
from rbnn.tasks.dataset import Images
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import Form
from rbnn.tasks.sensors.arrays import Array

Values = npt.NDArray[np.float32]
"""(time, channels)."""


def inputs(series: Series, values: Values, shape: tuple[int, int, int]) -> Images:
    """The windows of a recording.

    Args:
        series: how they become inputs.
        values: (time, channels), of a window's length or more.
        shape: height, width, channels of the input; as many values as a window.

    Returns:
        (n, height, width, channels) uint8.
    """
    means, factors = (np.array(one, np.float32) for one in (series.means, series.factors))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.where(factors == 0, np.float32(0), (values - means) * factors)
    levels = np.clip(np.floor(scaled + np.float32(MIDDLE + 0.5)), 0, 255).astype(np.uint8)
    return np.stack(
        [
            levels[start : start + series.window].reshape(shape)
            for start in series.starts(len(values))
        ]
    )


def read_csv(raw: bytes, where: str) -> Values:
    """Decode a CSV file: a row for each time step, a column for each channel.

    The first row may hold names. Empty rows are skipped.

    Raises:
        TaskError: names the line with text, a missing or a surplus value, or no finite number.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError(f"{where} is not a text file.", "Save it as CSV in UTF-8.") from error
    rows: list[list[float]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text))
    first = True
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            named = first and not any(_is_number(cell) for cell in cells)
            first = False
            if not named:
                rows.append([_number(cell, where, reader.line_num) for cell in cells])
                lines.append(reader.line_num)
                if len(cells) != len(rows[0]):
                    raise TaskError(
                        f"{where}, line {lines[-1]}, has {_values(len(cells))}; line {lines[0]} "
                        f"has {len(rows[0])}.",
                        "Give every row a value for each channel.",
                    )
    except csv.Error as error:
        raise TaskError(
            f"{where}, line {reader.line_num}, is not CSV: {error}.", "Save it as CSV again."
        ) from error
    if not rows:
        raise TaskError(f"{where} holds no values.", "Add a row for each time step, or delete it.")
    return as_values(np.array(rows), where, lines)


def as_values(array: Array, where: str, lines: Sequence[int] | None = None) -> Values:
    """Values of a recording in single precision.

    Args:
        array: (time, channels), integers or floats.
        where: its file, for error messages.
        lines: of the file, for each time step; None where it has none.

    Raises:
        TaskError: too many channels, or a value that is not finite.
    """
    if array.shape[1] > MAX_SERIES_CHANNELS:
        raise TaskError(
            f"{where} has {array.shape[1]} channels; the limit is {MAX_SERIES_CHANNELS}.",
            "A series is time x channels: one row for each time step.",
        )
    with np.errstate(over="ignore"):
        values = np.asarray(array, np.float32)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = (int(place) for place in bad[0])
        place = f"row {row}" if lines is None else f"line {lines[row]}"
        raise TaskError(
            f"{where}, {place}, column {column + 1}, holds {array[row, column]}: no finite number "
            "of single precision.",
            "Repair the recording, or cut the gap out.",
        )
    return values


def window_of(form: Form, channels: int, where: object) -> tuple[int, int, tuple[int, int, int]]:
    """Window, hop and shape of the inputs of a series.

    Args:
        form: what samples become.
        channels: of the sensor.
        where: the set, for error messages.

    Raises:
        TaskError: no window, or not the one asked for, fills the input.
    """
    height, width = form.sides
    tried = [form.channels, 1] if form.channels else [channels if channels <= 4 else 1, 1]
    shapes = [(height, width, count) for count in dict.fromkeys(c for c in tried if c)]
    fitting = [shape for shape in shapes if _holds_steps(shape, channels)]
    if not fitting:
        raise TaskError(
            f"{where} has {channels} channels, which do not fill an input of {form}: a row of "
            f"{width * shapes[0][2]} values holds no whole time steps.",
            f"Choose an --input of TIMExCHANNELSx1, such as 64x{channels}x1.",
        )
    windows = {math.prod(shape) // channels: shape for shape in reversed(fitting)}
    chosen = math.prod(fitting[0]) // channels if form.window is None else form.window
    if chosen not in windows:
        able = " or ".join(f"{window:,}" for window in windows)
        raise TaskError(
            f"A window of {chosen:,} time steps of {channels} channels does not fill an input of "
            f"{form}.",
            f"With this input --window is {able}; or choose an --input of {chosen}x{channels}x1.",
        )
    hop = max(1, chosen // 2) if form.hop is None else form.hop
    if not 0 < hop <= MAX_SERIES_STEPS or chosen > MAX_SERIES_STEPS:
        raise TaskError(
            f"{where} has windows of {chosen:,} time steps, {hop:,} apart; both are 1 to "
            f"{MAX_SERIES_STEPS:,}.",
            "Choose another --hop.",
        )
    return chosen, hop, windows[chosen]


def _holds_steps(shape: tuple[int, int, int], channels: int) -> bool:
    """Whether rows hold whole time steps, or a time step fills whole rows."""
    row = shape[1] * shape[2]
    return not row % channels or (not channels % row and not math.prod(shape) % channels)


def check_length(values: Values, window: int, where: str) -> None:
    """Refuse a recording that is shorter than a window.

    Raises:
        TaskError: says by how much.
    """
    if len(values) < window:
        raise TaskError(
            f"{where} has {len(values):,} time steps; a window has {window:,}.",
            "Leave it out, or choose a smaller --input.",
        )


def measure(recordings: Sequence[Values]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and factors of each channel over all time steps of recordings.

    A channel that never changes has the factor 0: its values become 128.
    """
    count = sum(len(values) for values in recordings)
    sums = sum(values.sum(axis=0, dtype=np.float64) for values in recordings)
    means = np.asarray(sums / count, np.float32)
    squares = sum(((values.astype(np.float64) - means) ** 2).sum(axis=0) for values in recordings)
    deviations = np.sqrt(squares / count)
    with np.errstate(divide="ignore", over="ignore"):
        factors = np.asarray(STEPS_PER_DEVIATION / deviations, np.float32)
    factors = np.where(np.isfinite(factors), factors, np.float32(0))
    return tuple(map(float, means)), tuple(map(float, factors))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str, where: str, line: int) -> float:
    try:
        return float(cell)
    except ValueError:
        shown = "nothing" if not cell.strip() else repr(cell.strip()[:40])
        raise TaskError(
            f"{where}, line {line}, has {shown} where a number belongs.",
            "Separate numbers by commas; only the first row may hold names.",
        ) from None


def _values(count: int) -> str:
    return f"{count} value{'s' if count != 1 else ''}"
