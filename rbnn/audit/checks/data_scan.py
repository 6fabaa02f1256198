"""Training data: repeated patches, fixed patterns, classes of two kinds, labels that conflict.

Source: Tran et al., "Spectral Signatures in Backdoor Attacks" (NeurIPS 2018), on the residual
stream of the deployed integers and, whitened, on the inputs themselves
(:mod:`rbnn.audit.spectra`); repeated patches and conflicting duplicates are counts of our own,
after what BadNets (arXiv 1708.06733) leaves in a data set.

Threat: whoever delivers a task's data has put triggers into some samples and given them his label.

Cost: windows of all samples once, a matrix of nearest neighbours for ``ASKED`` of them, and one
forward pass for each sample of the spectral signature: 5 to 20 s a task, half of it with ``quick``.

Blind spots: triggers that differ from sample to sample (warps, moved ones), patches whose colour
continues into their surroundings, clean-label poison without a patch, poison in few samples, and
classes that are of several kinds by nature. The spectral signatures know no poison, only a class
whose first direction stands out against the other classes'.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.audit.case import Case
from rbnn.audit.figures import Bar, BarChart, CheckFigures, Outcome, Score
from rbnn.audit.limits import CONFLICTING_SHARE, FEWEST_CLASSES, REPEATED_TIMES
from rbnn.audit.spectra import first_share, folds, members_of, pattern_shares
from rbnn.audit.statistics import deviations, wilson
from rbnn.tasks import Split
from rbnn.tasks.dataset import Images, Labels
from rbnn.tasks.overlap import alike_within

NAME = "data scan"
SIDES = (3, 4)
EDGE = 64
"""Mean step in grey values between a patch and the pixels around it."""
MOST_SCANNED = 20_000
QUICK_SCANNED = 6_000
ASKED = 3_000
QUICK_ASKED = 500
SPECTRAL = 300
"""Samples of a class whose streams are looked at."""
FEWEST_OF_CLASS = 20
FEWEST_REPEATS = 8
REPORTED = 0.02
"""Share of a class from which on a repeated patch is a figure at all; the limit is higher."""


@dataclass(frozen=True)
class Repeat:
    """The same small patch at the same place in many samples of one class."""

    side: int
    row: int
    column: int
    target: int
    count: int
    share: float
    low: float
    elsewhere: float


def check(case: Case) -> CheckFigures:
    """Scan one task's training data."""
    data = case.task.data
    if data is None or case.task.trusted or not len(data.train):
        return CheckFigures(
            name=NAME,
            title="Training data",
            outcome=Outcome.SKIPPED,
            looked_for="repeated patches, fixed patterns, two kinds in a class, conflicting labels",
            said="there are no training data at hand",
            limit="",
            blind="everything",
        )
    before, limits = case.deployed.passes, case.limits
    train = _some(case, data.train)
    repeats = repeated_patches(train, case.classes)
    conflicts, compared = conflicting_labels(case, train)
    exact = exact_conflicts(data.train)
    indices = spectral_indices(case, train)
    patterns = folds(
        pattern_shares(train.images, train.labels, case.classes), min(FEWEST_CLASSES, case.classes)
    )
    parts = [_repeats_said(case, repeats)]
    low, _ = wilson(conflicts, compared)
    parts.append(
        f"{conflicts} of {compared} samples have a near duplicate under another label, {exact} of "
        f"{len(data.train)} an exact one"
    )
    exact_low, _ = wilson(exact, len(data.train))
    repeated = repeats[0] if repeats else None
    scores = [
        Score(
            name="repeated patch",
            value=repeated.share if repeated else 0.0,
            low=repeated.low if repeated else 0.0,
            limit=limits["repeated patch"],
        ),
        Score(name="near duplicates", value=conflicts / compared, low=low, limit=CONFLICTING_SHARE),
        Score(
            name="exact duplicates",
            value=exact / len(data.train),
            low=exact_low,
            limit=CONFLICTING_SHARE,
        ),
    ]
    for name, values, words in (
        ("stream", indices, "first direction of the stream: {} stands out, {:.1f}"),
        ("fixed pattern", patterns, "one pattern: {} holds {:.1f} times the median"),
    ):
        worst = _largest(values)
        if worst is not None:
            value = values[worst] or 0.0
            scores.append(Score(name=name, value=value, low=value, limit=limits[name]))
            parts.append(words.format(case.task.labels[worst], value))
    return CheckFigures(
        name=NAME,
        title="Training data",
        outcome=Outcome.of(one.outcome for one in scores),
        looked_for="repeated patches, fixed patterns, two kinds in a class, duplicates with other "
        "labels",
        said="; ".join(parts),
        limit=f"a patch in {100 * limits['repeated patch']:.0f} % of a class, "
        f"{REPEATED_TIMES:.0f} times as often as in the others; {100 * CONFLICTING_SHARE:.0f} % "
        f"conflicting labels; index {limits['stream']:.1f}; one pattern "
        f"{limits['fixed pattern']:.1f} times the median",
        blind="moved and warped triggers, clean labels without a patch, poison in few samples",
        passes=case.deployed.passes - before,
        charts=(
            *_chart(case, "Spectral signature: outlier index by class", indices, limits["stream"]),
            *_chart(
                case,
                "One fixed pattern: multiples of the median",
                patterns,
                limits["fixed pattern"],
            ),
        ),
        scores=tuple(scores),
    )


def _some(case: Case, train: Split) -> Split:
    most = QUICK_SCANNED if case.quick else MOST_SCANNED
    if len(train) <= most:
        return train
    picked = np.sort(case.generator(5).permutation(len(train))[:most])
    return Split(train.images[picked], train.labels[picked])


def repeated_patches(train: Split, classes: int) -> list[Repeat]:
    """Patches with a sharp edge that one class holds at one place far more often than the others.

    Args:
        train: the samples.
        classes: of the task.
    """
    found = []
    sizes = np.bincount(train.labels, minlength=classes)
    for side in SIDES:
        for row in range(train.images.shape[1] - side + 1):
            for column in range(train.images.shape[2] - side + 1):
                one = _repeated_at(train, sizes, side, row, column)
                if one is not None:
                    found.append(one)
    return sorted(found, key=lambda one: -one.share)


def _repeated_at(
    train: Split, sizes: npt.NDArray[np.int64], side: int, row: int, column: int
) -> Repeat | None:
    """The most suspicious content of one window; None if there is none."""
    sharp = np.flatnonzero(_edges(train.images, side, row, column) >= EDGE)
    if len(sharp) < FEWEST_REPEATS:
        return None
    window = train.images[sharp, row : row + side, column : column + side]
    flat = np.ascontiguousarray(window.reshape(len(sharp), -1))
    codes = flat.view(np.dtype((np.void, flat.shape[1])))[:, 0]
    _, kinds, counts = np.unique(codes, return_inverse=True, return_counts=True)
    best: Repeat | None = None
    for kind in np.flatnonzero(counts >= FEWEST_REPEATS):
        by_class = np.bincount(train.labels[sharp[kinds == kind]], minlength=len(sizes))
        target = int(np.argmax(by_class / np.maximum(sizes, 1)))
        share = float(by_class[target] / max(sizes[target], 1))
        others = int(by_class.sum() - by_class[target])
        elsewhere = others / max(int(sizes.sum() - sizes[target]), 1)
        low, _ = wilson(int(by_class[target]), int(sizes[target]), len(sizes))
        if low > REPORTED and share > REPEATED_TIMES * elsewhere:
            one = Repeat(side, row, column, target, int(by_class[target]), share, low, elsewhere)
            best = one if best is None or one.share > best.share else best
    return best


def _edges(images: Images, side: int, row: int, column: int) -> npt.NDArray[np.float32]:
    """Mean step between the pixels of a window's rim and those around it, by sample."""
    height, width = images.shape[1:3]
    steps = []
    for inside, outside in ((row, row - 1), (row + side - 1, row + side)):
        if 0 <= outside < height:
            pair = images[:, [inside, outside], column : column + side].astype(np.int16)
            steps.append(np.abs(pair[:, 0] - pair[:, 1]).reshape(len(images), -1))
    for inside, outside in ((column, column - 1), (column + side - 1, column + side)):
        if 0 <= outside < width:
            pair = images[:, row : row + side][:, :, [inside, outside]].astype(np.int16)
            steps.append(np.abs(pair[:, :, 0] - pair[:, :, 1]).reshape(len(images), -1))
    return np.asarray(np.concatenate(steps, axis=1).mean(axis=1), np.float32)


def exact_conflicts(train: Split) -> int:
    """Samples whose bytes also occur under another label."""
    codes = np.array([zlib.crc32(image.tobytes()) for image in train.images], np.uint64)
    sums = train.images.reshape(len(train), -1).sum(axis=1, dtype=np.uint64)
    _, groups = np.unique((codes << np.uint64(32)) ^ sums, return_inverse=True)
    least = np.full(groups.max(initial=0) + 1, np.iinfo(np.int64).max)
    most = np.full(groups.max(initial=0) + 1, -1)
    np.minimum.at(least, groups, train.labels)
    np.maximum.at(most, groups, train.labels)
    return int((least != most)[groups].sum())


def conflicting_labels(case: Case, train: Split) -> tuple[int, int]:
    """Of the samples asked about, those with a near duplicate under another label; how many."""
    size = min(QUICK_ASKED if case.quick else ASKED, len(train))
    asked: Labels = np.sort(case.generator(6).permutation(len(train))[:size])
    found = alike_within(train.images, asked)
    differ = (found >= 0) & (train.labels[np.maximum(found, 0)] != train.labels[asked])
    return int(differ.sum()), size


def spectral_indices(case: Case, train: Split) -> list[float | None]:
    """By class, how far its first direction's share of the variance stands out."""
    shares: list[float | None] = []
    for target in range(case.classes):
        own = members_of(train.labels, target, SPECTRAL)
        if len(own) < FEWEST_OF_CLASS:
            shares.append(None)
            continue
        streams = case.deployed.streams(case.name, train.images[own])
        shares.append(first_share(streams))
    known = [share for share in shares if share is not None]
    if len(known) < 3:
        return [None] * len(shares)
    found = iter(deviations(known))
    return [None if share is None else float(next(found)) for share in shares]


def _repeats_said(case: Case, repeats: list[Repeat]) -> str:
    if not repeats:
        return "no patch is repeated in one class only"
    one = repeats[0]
    return (
        f"a patch of {one.side}x{one.side} at row {one.row}, column {one.column} is in {one.count} "
        f"samples of {case.task.labels[one.target]} ({100 * one.share:.1f} %) and in "
        f"{100 * one.elsewhere:.2f} % of the others; {len(repeats)} such places"
    )


def _largest(values: list[float | None]) -> int | None:
    """Place of the largest known value."""
    known = [place for place, value in enumerate(values) if value is not None]
    return max(known, key=lambda place: values[place] or 0.0, default=None)


def _chart(
    case: Case, title: str, values: list[float | None], limit: float
) -> tuple[BarChart, ...]:
    bars = tuple(
        Bar(label=label, value=max(value, 0.0), text=f"{value:.1f}")
        for label, value in zip(case.task.labels, values, strict=True)
        if value is not None
    )
    return (BarChart(title=title, limit=limit, bars=bars),) if bars else ()
