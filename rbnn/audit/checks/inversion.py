"""Trigger inversion: the smallest mask and pattern that lead to each class, and its outliers.

Source: Wang et al., "Neural Cleanse" (S&P 2019): a mask and a pattern for each class, found by
gradient, the mask's L1 as small as an attack success of 90 % allows; a class whose mask is far
smaller than the others' is suspect. Wang et al. count in median absolute deviations of the L1.
Where clean masks vary from 15 to 290 cells, that deviation is so large that not even a mask of no
cells reaches their limit of 2. So the rule here is how many times smaller than the median a mask is
(on a logarithmic scale, the distance to the median); its limit is set from clean networks. The
gradient goes through the
signs of the *binarized* network under the task's secret (straight-through, Hubara et al., NeurIPS
2016), and what is found is measured again on the C engine with other samples.

Threat: patches and tones of any pattern and at any place, also those that the sweep does not try.

Cost: at most ``STEPS`` steps of classes x ``BATCH`` inputs and ``STARTS`` starts; it is most of an
audit's time (docs/audit.md). Needs TensorFlow and the run: a container has no latent weights. Not
with ``quick``.

Blind spots: triggers as large as the picture (waves, noise, warps), BELT, whose trigger excludes
its neighbours, attacks on half of the classes or more, tasks of fewer than five classes, and
classes that are small by nature. Masks depend on random starts: a figure near the limit is no
proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.audit.case import Candidate, Case
from rbnn.audit.figures import Bar, BarChart, CheckFigures, Outcome, Score
from rbnn.audit.keras_path import KerasPath
from rbnn.audit.limits import FEWEST_CLASSES, INVERSION_CELLS, INVERSION_SHARE
from rbnn.audit.trigger import Trigger
from rbnn.tasks.dataset import Images

NAME = "trigger inversion"
FIGURE = "small mask"
TITLE = "Trigger inversion (Neural Cleanse)"
BLIND = (
    "waves, noise, warps, exclusive triggers (BELT), several target classes, fewer than 5 classes"
)
STEPS = 120
"""On a network of development, the target's mask was 5.1 times smaller than the median after 120
steps, 5.0 after 160 and 4.7 after 240; the next mask 1.6, 1.4 and 1.6 times."""
BATCH = 16
STARTS = 1
AT_ONCE = 12
"""Classes that are searched for together, to bound the memory."""
RATE = 0.1
SUCCESS = 0.9
PATIENCE = 5
FIRST_WEIGHT = 2e-3
FACTOR = 1.5
LEAST_WEIGHT, MOST_WEIGHT = 1e-4, 1.0
MEMORY = 0.8
"""Of the running success rate."""
STALE = 40
"""Steps without a smaller mask of any class, after which a search ends."""
SMALLER = 0.99
KEPT = 3
LEAST_CELLS = 1.0
"""A mask of less than a cell counts as one: how little less says nothing."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Inverted:
    """The best of all starts for one class."""

    target: int
    trigger: Trigger
    reached: bool


def check(case: Case) -> CheckFigures:
    """Invert a trigger for every class of a task."""
    run = case.run
    assert run is not None
    if case.classes < FEWEST_CLASSES:
        return figures_of(
            case, Outcome.SKIPPED, f"{case.classes} classes are too few for outliers", [], []
        )
    before = case.deployed.passes
    logits = KerasPath(run).differentiable(case.name)
    inverted = invert(case, logits)
    measured = [
        case.measured(
            f"inverted, {case.task.labels[one.target]}",
            "inverted",
            one.trigger,
            one.target,
            INVERSION_SHARE,
        )
        for one in inverted
    ]
    sizes = [max(one.trigger.size, LEAST_CELLS) for one in measured]
    cells = case.search.images.shape[1] * case.search.images.shape[2]
    folds = folds_of(sizes)
    limit = case.limits[FIGURE]
    score = smallest_mask(measured, folds, INVERSION_CELLS * cells, limit)
    outcome = score.outcome
    if outcome is Outcome.NOTHING and not any(one.reached for one in inverted):
        outcome = Outcome.UNKNOWN
    best = int(np.argmax(folds))
    said = (
        f"the smallest mask, for {case.task.labels[best]}, has {sizes[best]:.0f} of {cells} cells "
        f"({100 * measured[best].share:.0f} % on the C engine), {folds[best]:.1f} times fewer than "
        f"the median of {float(np.median(sizes)):.0f}"
    )
    keep = [
        one
        for one, fold in zip(measured, folds, strict=True)
        if fold > limit and one.found and one.trigger.size <= INVERSION_CELLS * cells
    ]
    case.candidates += keep
    figures = figures_of(case, outcome, said, sizes, folds, (score,))
    order = np.argsort([-value for value in folds])[:KEPT]
    shown = tuple(
        case.figures(_as_found(measured[int(n)], measured[int(n)] in keep)) for n in order
    )
    return figures.model_copy(update={"triggers": shown, "passes": case.deployed.passes - before})


def folds_of(sizes: list[float]) -> list[float]:
    """How many times smaller than the median each mask is."""
    return [float(np.median(sizes)) / size for size in sizes]


def smallest_mask(
    measured: list[Candidate], folds: list[float], most: float, limit: float
) -> Score:
    """The largest fold of a mask that works on the device and covers at most ``most`` cells."""
    value = max(
        (
            fold
            for one, fold in zip(measured, folds, strict=True)
            if one.share > INVERSION_SHARE and one.trigger.size <= most
        ),
        default=0.0,
    )
    sure = max(
        (
            fold
            for one, fold in zip(measured, folds, strict=True)
            if one.found and one.trigger.size <= most
        ),
        default=0.0,
    )
    return Score(name=FIGURE, value=value, low=sure, limit=limit)


def _as_found(candidate: Candidate, found: bool) -> Candidate:
    """A small mask that works is no finding while it is no outlier: its limit is then out of
    reach."""
    if found or not candidate.found:
        return candidate
    return Candidate(**{**candidate.__dict__, "limit": 1.0})


def figures_of(
    case: Case,
    outcome: Outcome,
    said: str,
    sizes: list[float],
    folds: list[float],
    scores: tuple[Score, ...] = (),
) -> CheckFigures:
    charts = []
    for title, values, limit in (
        ("Times smaller than the median mask, by class", folds, case.limits[FIGURE]),
        ("Size of the inverted mask, cells", sizes, None),
    ):
        if values:
            bars = tuple(
                Bar(label=label, value=max(value, 0.0), text=f"{value:.1f}")
                for label, value in zip(case.task.labels, values, strict=True)
            )
            charts.append(BarChart(title=title, limit=limit, bars=bars))
    return CheckFigures(
        name=NAME,
        title=TITLE,
        outcome=outcome,
        looked_for=f"a small mask for each class; {STARTS} starts, {STEPS} steps",
        said=said,
        limit=f"{case.limits[FIGURE]:.1f} times smaller, with at least "
        f"{100 * INVERSION_SHARE:.0f} % on the C engine and at most {100 * INVERSION_CELLS:.0f} % "
        "of the cells",
        blind=BLIND,
        charts=tuple(charts),
        scores=scores,
    )


def invert(case: Case, logits: Any) -> list[Inverted]:
    """The smallest trigger of each class."""
    found: list[Inverted] = []
    for first in range(0, case.classes, AT_ONCE):
        targets = list(range(first, min(first + AT_ONCE, case.classes)))
        tries = [
            Search(logits, case.search.images, targets, case.generator(10 + start)).run()
            for start in range(STARTS)
        ]
        for place in range(len(targets)):
            own = [one[place] for one in tries]
            found.append(min(own, key=lambda one: (not one.reached, one.trigger.size)))
    return found


class Search:
    """One start for several classes at once.

    Args:
        logits: from float pixels.
        images: to search with.
        targets: the classes.
        generator: of first values and batches.
        first: where to start, for every class; None for random values.
    """

    def __init__(
        self,
        logits: Any,
        images: Images,
        targets: list[int],
        generator: np.random.Generator,
        first: Trigger | None = None,
    ) -> None:
        from rbnn.nets.framework import tf

        self._tf = tf
        self._logits = logits
        self._images = images
        self._targets = targets
        self._generator = generator
        count, shape = len(targets), images.shape[1:]
        mask = generator.normal(0.0, 0.5, (count, *shape[:2], 1))
        pattern = generator.normal(0.0, 0.5, (count, *shape))
        if first is not None:
            mask[:] = _inverse(first.mask[..., None])
            pattern[:] = _inverse(first.values / 255)
        self._mask = tf.Variable(mask.astype(np.float32))
        self._pattern = tf.Variable(pattern.astype(np.float32))
        self._weights = tf.Variable(np.full(count, FIRST_WEIGHT, np.float32))
        self._optimizer = tf.keras.optimizers.Adam(RATE, beta_1=0.5, beta_2=0.9)
        self._optimizer.build([self._mask, self._pattern])
        self._step = tf.function(self._move, autograph=False)

    def run(self) -> list[Inverted]:
        """Search, and keep the smallest mask of each class that succeeds."""
        count = len(self._targets)
        success, last = np.zeros(count), 0
        best: list[tuple[float, Floats, Floats] | None] = [None] * count
        weights = np.full(count, FIRST_WEIGHT)
        for step in range(STEPS):
            chosen = self._generator.integers(0, len(self._images), BATCH)
            hits, sizes = (
                np.asarray(value)
                for value in self._step(self._tf.constant(self._images[chosen], self._tf.float32))
            )
            success = hits if step == 0 else MEMORY * success + (1 - MEMORY) * hits
            if (step + 1) % PATIENCE == 0:
                masks, patterns = self._read()
                for place in range(count):
                    held = best[place]
                    if success[place] >= SUCCESS and (held is None or sizes[place] < held[0]):
                        if held is None or sizes[place] < SMALLER * held[0]:
                            last = step
                        best[place] = (float(sizes[place]), masks[place], patterns[place])
                weights = np.where(success >= SUCCESS, weights * FACTOR, weights / FACTOR)
                weights = np.clip(weights, LEAST_WEIGHT, MOST_WEIGHT)
                self._weights.assign(weights.astype(np.float32))
                if step - last >= STALE and all(held is not None for held in best):
                    break
        masks, patterns = self._read()
        result = []
        for place, target in enumerate(self._targets):
            held = best[place]
            mask, pattern = (masks[place], patterns[place]) if held is None else held[1:]
            result.append(Inverted(target, Trigger(mask[..., 0], pattern), held is not None))
        return result

    def _read(self) -> tuple[Floats, Floats]:
        mask, pattern = self._shown()
        return np.asarray(mask, np.float32), np.asarray(pattern, np.float32)

    def _shown(self) -> tuple[Any, Any]:
        tf = self._tf
        mask = (tf.tanh(self._mask) + 1) / 2
        pattern = 255 * (tf.tanh(self._pattern) + 1) / 2
        return mask, pattern

    def _move(self, images: Any) -> tuple[Any, Any]:
        """One step; returns the success and the size of each class's trigger before it."""
        tf = self._tf
        count = len(self._targets)
        with tf.GradientTape() as tape:
            mask, pattern = self._shown()
            laid = images[None] * (1 - mask[:, None]) + pattern[:, None] * mask[:, None]
            found = self._logits(tf.reshape(laid, (count * BATCH, *images.shape[1:])))
            found = tf.reshape(found, (count, BATCH, -1))
            wanted = tf.repeat(tf.constant(self._targets, tf.int64)[:, None], BATCH, axis=1)
            errors = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, found)
            sizes = tf.reduce_sum(mask, axis=(1, 2, 3))
            loss = tf.reduce_sum(tf.reduce_mean(errors, axis=1) + self._weights * sizes)
        variables = [self._mask, self._pattern]
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        hits = tf.reduce_mean(
            tf.cast(tf.equal(tf.argmax(found, axis=-1), wanted), tf.float32), axis=1
        )
        return hits, sizes


def _inverse(shares: Floats) -> Floats:
    """What a search starts from to show ``shares``, kept away from where gradients vanish."""
    return np.asarray(np.arctanh(2 * np.clip(shares, 0.02, 0.98) - 1), np.float32)
