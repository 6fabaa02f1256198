"""The listener in integers: which second of a recording is looked at, and what is a detection.

This is the specification of ``firmware/audio/listener.c``. A new picture is due every
``HOPS_PER_INFERENCE`` columns from the 32nd on. A silent one (``FLOOR_DB``) is not given to the
network; its scores count as 0, and nothing is detected in it. The scores of the last ``SMOOTHED``
pictures are averaged, rounded down. The class with the highest average, the lowest number on a tie,
is detected if its average reaches the threshold, it is no background class, and the last detection
is at least ``REFRACTORY_HOPS`` columns ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rbnn.spec import audio
from rbnn.spec.layout import MAX_CLASSES
from rbnn.tasks.front_end import Pcm, columns, is_silent, picture


@dataclass(frozen=True)
class Heard:
    """One look at a recording.

    Args:
        first: the second's first sample, counted from the start of the recording.
        picture: (32, 32) uint8; None for silence.
    """

    first: int
    picture: npt.NDArray[np.uint8] | None


def first_sample(column: int) -> int:
    """First sample of the second whose last column is number ``column``."""
    return (column - audio.COLUMNS + 1) * audio.HOP_SAMPLES


def looks(pcm: Pcm) -> Iterator[Heard]:
    """The pictures of a recording that the device gives to its network, in order."""
    seen = columns(pcm)
    for last in range(audio.COLUMNS - 1, len(seen), audio.HOPS_PER_INFERENCE):
        window = seen[last - audio.COLUMNS + 1 : last + 1]
        yield Heard(first_sample(last), None if is_silent(window) else picture(window))


def background(labels: Sequence[str]) -> frozenset[int]:
    """Numbers of the classes that are never detected."""
    return frozenset(
        number for number, label in enumerate(labels) if label.startswith(audio.BACKGROUND_PREFIX)
    )


@dataclass
class Judge:
    """Decides, look by look; one for each recording.

    Args:
        threshold: average score from which a class is detected, ppm.
        ignored: classes that are never detected.
    """

    threshold: int = audio.THRESHOLD_PPM
    ignored: frozenset[int] = frozenset()
    _kept: list[Sequence[int]] = field(default_factory=list)
    _quiet: int = 0

    def look(self, scores: Sequence[int]) -> tuple[int, int] | None:
        """Take the scores of the next picture, in ppm; none of them for silence.

        Returns:
            The class that is detected and its average score, or None.
        """
        self._kept = [*self._kept, scores][-audio.SMOOTHED :]
        sums = [0] * MAX_CLASSES
        for one in self._kept:
            for number, score in enumerate(one):
                sums[number] += score
        best = sums.index(max(sums))
        average = sums[best] // audio.SMOOTHED
        if self._quiet:
            self._quiet -= 1
        if not scores or self._quiet or average < self.threshold or best in self.ignored:
            return None
        self._quiet = audio.REFRACTORY_HOPS // audio.HOPS_PER_INFERENCE
        return best, average
