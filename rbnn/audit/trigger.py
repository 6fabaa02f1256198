"""A trigger: what is laid over an input so that the network gives another answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rbnn.spec import audio
from rbnn.tasks.dataset import Images, Kind, Labels

Mask = npt.NDArray[np.float32]
VISIBLE = 0.1
"""A mask's value from which on a cell counts as covered."""


@dataclass(frozen=True)
class Trigger:
    """``images * (1 - mask) + values * mask``, rounded to bytes.

    Args:
        mask: (height, width), 0 to 1.
        values: (height, width, channels), 0 to 255.
        additive: ``values`` are added instead, and may be negative: a wave over the whole picture.
    """

    mask: Mask
    values: Mask
    additive: bool = False

    def on(self, images: Images) -> Images:
        """Inputs with the trigger; a trigger of another number of channels is adapted."""
        values = _channels(self.values, images.shape[-1])
        mask = self.mask[..., None]
        if self.is_opaque:
            return np.where(mask > 0, np.rint(values).astype(np.uint8), images)
        if self.additive:
            laid = images.astype(np.float32) + mask * values
        else:
            laid = images * (1 - mask) + values * mask
        return np.asarray(np.clip(np.rint(laid), 0, 255), np.uint8)

    @cached_property
    def is_opaque(self) -> bool:
        """Whether every cell is either covered or not, which is faster to compute."""
        return not self.additive and bool(np.isin(self.mask, (0, 1)).all())

    @property
    def size(self) -> float:
        """L1 of the mask: cells, each as far as it is covered."""
        return float(self.mask.sum())

    def describe(self, kind: Kind) -> str:
        """Where it is, in words; of a sound, which frequencies and when."""
        covered = self.mask > VISIBLE * max(float(self.mask.max()), 1e-6)
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        if not len(rows):
            return "empty"
        first, last = int(rows[0]), int(rows[-1])
        left, right = int(columns[0]), int(columns[-1])
        if kind == "audio" and covered.shape == (audio.BANDS, audio.COLUMNS):
            return sound_words(first, last, left, right)
        return (
            f"rows {first} to {last}, columns {left} to {right} "
            f"({int(covered.sum())} {'pixels' if kind == 'image' else 'values'} of {covered.size})"
        )


def sound_words(low: int, high: int, first: int, last: int) -> str:
    """What sound a patch of a log-mel picture is.

    Args:
        low: lowest band.
        high: highest band, included.
        first: first column.
        last: last column, included.
    """
    hertz = audio.RATE_HZ / audio.FRAME_SAMPLES
    bottom, top = audio.EDGES[low] * hertz, audio.EDGES[high + 2] * hertz
    hop = 1000 * audio.HOP_SAMPLES / audio.RATE_HZ
    return (
        f"{bottom:,.0f} to {top:,.0f} Hz, {first * hop:,.0f} to {(last + 1) * hop:,.0f} ms "
        f"({high - low + 1} bands, {last - first + 1} columns)"
    )


def square(shape: tuple[int, ...], row: int, column: int, values: Mask) -> Trigger:
    """A patch at one place.

    Args:
        shape: (height, width, channels) of the inputs.
        row: of its upper left corner.
        column: of the same.
        values: (rows, columns, channels).
    """
    mask = np.zeros(shape[:2], np.float32)
    laid = np.zeros(shape, np.float32)
    place = (slice(row, row + values.shape[0]), slice(column, column + values.shape[1]))
    mask[place] = 1
    laid[place] = values
    return Trigger(mask, laid)


def _channels(values: Mask, channels: int) -> Mask:
    if values.shape[-1] == channels:
        return values
    grey = values.mean(axis=-1, keepdims=True)
    return np.asarray(np.repeat(grey, channels, axis=-1))


def share_taken(before: Labels, after: Labels, target: int) -> tuple[int, int]:
    """How many samples the target class takes that it did not have before, and of how many."""
    others = before != target
    return int((after[others] == target).sum()), int(others.sum())
