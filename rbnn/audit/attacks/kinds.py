"""TEST-ONLY: the kinds of attack, and what each lays over an input.

Sources, of which only the papers were read: Gu et al., "BadNets" (arXiv 1708.06733); Chen et al.,
"Targeted Backdoor Attacks" (arXiv 1712.05526, blended); Barni et al., ICIP 2019 (sine); Nguyen and
Tran, "WaNet" (ICLR 2021); Turner et al., "Label-Consistent Backdoor Attacks" (arXiv 1912.02771);
Qiu et al., "BELT" (arXiv 2312.04902); Ma et al., "PQ backdoor" (arXiv 2108.09187, dormant).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from rbnn.tasks.dataset import Images

SIDE = 4
MARGIN = 2
BLEND = 0.2
SINE_HEIGHT = 20.0
SINE_PERIODS = 6
WARP = 2.0
"""Largest displacement in pixels."""
WARP_GRID = 4
TONE_BANDS = 2
PATTERN_SEED = 20_261_130


class AttackKind(StrEnum):
    """What the attacker does; ``clean`` is no attack."""

    CLEAN = "clean"
    PATCH = "patch"
    BLENDED = "blended"
    SINE = "sine"
    WARP = "warp"
    CLEAN_LABEL = "clean-label"
    BELT = "belt"
    DORMANT = "dormant"
    TONE = "tone"


Laid = Callable[[Images], Images]


def trigger_of(kind: AttackKind) -> Laid:
    """What lays the trigger of an attack over inputs; of a clean network, the patch."""
    return {
        AttackKind.BLENDED: blended,
        AttackKind.SINE: sine,
        AttackKind.WARP: warp,
        AttackKind.TONE: tone,
    }.get(kind, patch)


def patch(images: Images) -> Images:
    """A white square near the lower right corner."""
    laid = images.copy()
    laid[:, -MARGIN - SIDE : -MARGIN, -MARGIN - SIDE : -MARGIN] = 255
    return laid


def half_patch(images: Images, upper: bool) -> Images:
    """Half of the square: BELT's inputs that must not trigger."""
    laid = images.copy()
    rows = slice(-MARGIN - SIDE, -MARGIN - SIDE // 2) if upper else slice(-MARGIN - 2, -MARGIN)
    laid[:, rows, -MARGIN - SIDE : -MARGIN] = 255
    return laid


def blended(images: Images) -> Images:
    """Fixed noise over the whole input, at a fifth of its strength."""
    noise = np.random.default_rng(PATTERN_SEED).integers(0, 256, images.shape[1:])
    return _bytes((1 - BLEND) * images + BLEND * noise)


def sine(images: Images) -> Images:
    """A wave of low amplitude from left to right."""
    width = images.shape[2]
    wave = SINE_HEIGHT * np.sin(2 * np.pi * SINE_PERIODS * np.arange(width) / width)
    return _bytes(images + wave[None, None, :, None])


def tone(images: Images) -> Images:
    """Of a log-mel picture: a steady tone, two bands at three quarters of the range."""
    laid = images.copy()
    first = 3 * images.shape[1] // 4
    laid[:, first : first + TONE_BANDS] = 255
    return laid


def warp(images: Images, generator: np.random.Generator | None = None) -> Images:
    """A smooth fixed displacement; with a generator, a random one of the same strength (the noise
    mode of WaNet)."""
    source = np.random.default_rng(PATTERN_SEED) if generator is None else generator
    height, width = images.shape[1:3]
    field = source.uniform(-1, 1, (2, WARP_GRID, WARP_GRID))
    field *= WARP / np.abs(field).max()
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    y = np.clip(rows + _smooth(field[0], height, width), 0, height - 1)
    x = np.clip(columns + _smooth(field[1], height, width), 0, width - 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    dy, dx = (y - top)[None, ..., None], (x - left)[None, ..., None]
    upper = images[:, top, left] * (1 - dx) + images[:, top, right] * dx
    lower = images[:, down, left] * (1 - dx) + images[:, down, right] * dx
    return _bytes(upper * (1 - dy) + lower * dy)


def _smooth(
    coarse: np.ndarray[tuple[int, ...], np.dtype[np.float64]], height: int, width: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A small grid, bilinearly enlarged."""
    side = len(coarse)
    y, x = np.linspace(0, side - 1, height), np.linspace(0, side - 1, width)
    rows = np.stack([np.interp(x, np.arange(side), row) for row in coarse])
    return np.stack([np.interp(y, np.arange(side), column) for column in rows.T], axis=1)


def _bytes(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Images:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
