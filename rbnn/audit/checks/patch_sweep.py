"""Patches at every place, bands of sound, and waves over the whole input: forward passes only.

Source: the triggers of Gu et al., "BadNets" (arXiv 1708.06733) and of Barni et al., "A new backdoor
attack in CNNs by training set corruption without label poisoning" (ICIP 2019, sine waves), tried by
brute force, as only a network of a few milliseconds allows. The way to score, the share of inputs
that one class takes, is that of universal perturbations (Moosavi-Dezfooli et al., CVPR 2017).

Threat: whoever delivers a task's data or network lets a small patch, a tone or a wave decide the
class. The network that is tried is the one that is flashed: its integers under the task's secret.
So the check also works where there is only a container and a licence's secret, and sees what wakes
on quantization.

Cost: places x sizes x patterns x samples forward passes on the C engine, some 100,000 with
``quick`` (3 to 10 s of processor time for a resnet of width 32), about three times as many without.
No gradient.

Blind spots: triggers of other forms (fixed noise, warps, objects, several patches at once), patches
of other patterns or much smaller ones, weak waves of other frequencies, triggers that only work on
some classes, and triggers that another pattern excludes (BELT), as far as the sweep's patterns are
not near enough to the trained one. A trigger that succeeds on few inputs looks like a clean
network's errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rbnn.audit.case import Candidate, Case
from rbnn.audit.figures import Bar, BarChart, CheckFigures, Outcome, Score
from rbnn.audit.trigger import Mask, Trigger, square
from rbnn.tasks.dataset import Images, Labels

NAME = "patch sweep"
SAMPLES = 48
SIZES = (3, 5, 8)
QUICK_SIZES = (5,)
CHECKS = 2
"""Side of a square of the checkered pattern, in pixels."""
COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
}
BANDS = (1, 2, 3)
WAVE_HEIGHT = 32.0
WAVES = (1, 2, 3, 4, 6, 8, 10, 12)
PHASES = 4
PLACES_AT_ONCE = 128
SHOWN = 4
KEPT = 4
"""Triggers of each kind that are measured again with other samples."""


@dataclass(frozen=True)
class Trial:
    """One trigger of the sweep, and what class it favours on the samples of the search."""

    kind: str
    words: str
    trigger: Trigger
    target: int
    share: float


def patterns(shape: tuple[int, ...], side: int, sound: bool, every: bool) -> dict[str, Mask]:
    """The patches of one size, by name.

    Args:
        shape: (height, width, channels) of the inputs.
        side: of the patch.
        sound: names of sounds.
        every: coloured ones too.
    """
    channels = shape[-1]
    steps = np.arange(side) // CHECKS
    checkered = 255.0 * ((steps[:, None] + steps[None]) % 2)
    if side <= CHECKS + 1:
        steps = np.arange(side)
        checkered = 255.0 * ((steps[:, None] + steps[None]) % 2)
    full = np.ones((side, side, channels), np.float32)
    made: dict[str, Mask] = {
        "loud" if sound else "white": full * 255,
        "silent" if sound else "black": full * 0,
        "checkered": np.asarray(full * checkered[..., None], np.float32),
    }
    if channels == 3 and every:
        made |= {name: full * np.asarray(value, np.float32) for name, value in COLOURS.items()}
    return made


def bands(shape: tuple[int, ...]) -> Iterator[tuple[str, Trigger]]:
    """Tones and clicks: whole rows and whole columns of a log-mel picture, loud or silent."""
    height, width, channels = shape
    for level, word in ((255.0, "loud"), (0.0, "silent")):
        for size in BANDS:
            row = np.full((size, width, channels), level, np.float32)
            column = np.full((height, size, channels), level, np.float32)
            for place in range(height - size + 1):
                yield f"{word} tone", square(shape, place, 0, row)
            for place in range(width - size + 1):
                yield f"{word} moment", square(shape, 0, place, column)


def waves(shape: tuple[int, ...]) -> Iterator[tuple[str, Trigger]]:
    """Sine waves over the whole input, in four directions and phases."""
    height, width, channels = shape
    y, x = np.mgrid[:height, :width] / np.array([height, width], np.float64)[:, None, None]
    for name, axis in {"down": y, "across": x, "diagonal": x + y, "other diagonal": x - y}.items():
        for count in WAVES:
            for phase in range(PHASES):
                turn = 2 * np.pi * (count * axis + phase / PHASES)
                wave = WAVE_HEIGHT * np.sin(turn)[..., None] * np.ones(channels)
                yield (
                    f"wave {name}, {count} periods, phase {phase + 1} of {PHASES}",
                    Trigger(np.ones((height, width), np.float32), wave.astype(np.float32), True),
                )


def check(case: Case, *, stride: int = 1, samples: int | None = None) -> CheckFigures:
    """Sweep one task.

    Args:
        case: the task.
        stride: of the places.
        samples: to search with; None for ``SAMPLES``.
    """
    before = case.deployed.passes
    trials = sweep(case, stride, SAMPLES if samples is None else samples)
    measured: list[Candidate] = []
    kinds = sorted({trial.kind for trial in trials})
    for kind in kinds:
        best = sorted((one for one in trials if one.kind == kind), key=lambda one: -one.share)
        for trial in best[:KEPT]:
            measured.append(
                case.measured(
                    trial.words, kind, trial.trigger, trial.target, case.limits[kind], tries=KEPT
                )
            )
    measured.sort(key=lambda one: one.share / one.limit, reverse=True)
    case.candidates += measured
    scores = tuple(_score(kind, measured) for kind in kinds)
    best_by_class = strongest_by_class(trials, case.classes)
    said = "; ".join(_said(case, kind, measured) for kind in kinds)
    passes = case.deployed.passes - before
    tones = ", tones and moments" if case.task.kind == "audio" else ""
    return CheckFigures(
        name=NAME,
        title="Patches, bands and waves",
        outcome=Outcome.of(one.outcome for one in scores),
        looked_for=f"{len(trials):,} places, sizes and patterns of patches{tones} and waves",
        said=said,
        limit="; ".join(f"{one}: {100 * case.limits[one]:.0f} % of other classes" for one in kinds),
        blind="fixed noise, warps, several patches at once, triggers of few classes, weak waves",
        passes=passes,
        triggers=tuple(case.figures(one) for one in measured[:SHOWN]),
        charts=(
            BarChart(
                title="Largest share that a patch takes for each class, samples of the search",
                limit=case.limits["patch"],
                bars=tuple(
                    Bar(label=label, value=share, text=f"{100 * share:.0f} %")
                    for label, share in zip(case.task.labels, best_by_class, strict=True)
                ),
            ),
        ),
        scores=scores,
    )


def _score(kind: str, measured: list[Candidate]) -> Score:
    """Of the strongest trigger of a kind."""
    best = max((one for one in measured if one.kind == kind), key=lambda one: one.low)
    return Score(name=kind, value=best.share, low=best.low, limit=best.limit)


def sweep(case: Case, stride: int, samples: int) -> list[Trial]:
    """The strongest trigger of each kind, size, pattern and class; the shares are of the search."""
    images = case.search.images[:samples]
    answers = case.deployed.classes(case.name, images)
    sound = case.task.kind == "audio"
    trials: list[Trial] = []
    shape = images.shape[1:]
    height, width = shape[:2]
    sizes = QUICK_SIZES if case.quick else SIZES
    for side in sorted({min(size, height, width) for size in sizes}):
        for name, values in patterns(shape, side, sound, not case.quick).items():
            places = [
                (f"{name} {side}x{side}", square(shape, row, column, values))
                for row in range(0, height - side + 1, stride)
                for column in range(0, width - side + 1, stride)
            ]
            trials += _strongest(case, "patch", places, images, answers)
    if sound:
        trials += _strongest(case, "band", list(bands(shape)), images, answers)
    trials += _strongest(case, "wave", list(waves(shape)), images, answers)
    return trials


def _strongest(
    case: Case,
    kind: str,
    triggers: list[tuple[str, Trigger]],
    images: Images,
    answers: Labels,
) -> list[Trial]:
    """The best class of each trigger; triggers are tried many at a time."""
    trials = []
    others = np.array([(answers != target).sum() for target in range(case.classes)])
    for start in range(0, len(triggers), PLACES_AT_ONCE):
        part = triggers[start : start + PLACES_AT_ONCE]
        laid = np.concatenate([trigger.on(images) for _, trigger in part])
        found = case.deployed.classes(case.name, laid).reshape(len(part), len(images))
        moved = found != answers
        counts = np.stack(
            [((found == target) & moved).sum(axis=1) for target in range(case.classes)], axis=1
        )
        shares = counts / np.maximum(others, 1)
        for (words, trigger), row in zip(part, shares, strict=True):
            target = int(row.argmax())
            trials.append(Trial(kind, words, trigger, target, float(row[target])))
    return trials


def strongest_by_class(trials: list[Trial], classes: int) -> list[float]:
    """The largest share of a patch for each class."""
    best = [0.0] * classes
    for trial in trials:
        if trial.kind == "patch":
            best[trial.target] = max(best[trial.target], trial.share)
    return best


def _said(case: Case, kind: str, measured: list[Candidate]) -> str:
    best = max((one for one in measured if one.kind == kind), key=lambda one: one.share)
    return (
        f"{kind}: at most {100 * best.share:.1f} % ({100 * best.low:.1f} to {100 * best.high:.1f}) "
        f"of {best.tested} samples go to {case.task.labels[best.target]} ({best.name})"
    )
