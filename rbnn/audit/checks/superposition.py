"""Superposition entropy: how sure the network stays when inputs are laid over one another.

Source: Gao et al., "STRIP: A Defence Against Trojan Attacks on Deep Neural Networks" (ACSAC 2019).
The C engine computes the passes. The threshold is calibrated per predicted class on held-out
samples.

Threat: training samples, or inputs, that carry a trigger: with a trigger the answer stays the same
whatever lies under it, so the entropy of the answers is low. Two questions are asked. Are more of
one class's training samples below the threshold than false alarms explain (then part of them may be
poisoned)? And are the triggers that other checks found below it?

Cost: ``OVERLAYS`` forward passes a sample, 1 to 3 ms; 10 to 20 s a task, 2 to 4 s with ``quick``.

Blind spots: triggers that a superposition destroys (waves and noise over the whole input, black or
weak patches), triggers that need a certain object, attacks of low success, and clean classes whose
samples dominate a superposition: for those the threshold by class is there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.audit.case import Case
from rbnn.audit.figures import Bar, BarChart, CheckFigures, Histogram, Outcome, Score
from rbnn.audit.limits import FALSE_ALARMS
from rbnn.audit.statistics import area_under_curve, wilson
from rbnn.tasks.dataset import Images, Labels

NAME = "superposition entropy"
FIGURE = "superposed samples"
OVERLAYS = 32
QUICK_OVERLAYS = 12
SAMPLES = 1000
"""Held-out samples that set the threshold."""
SCREENED = 3000
QUICK_SCREENED = 800
FEWEST_OF_CLASS = 20
"""Held-out samples of a class: with fewer, the threshold is that of all classes."""
BINS = 24
Entropies = npt.NDArray[np.float64]


def entropies(case: Case, images: Images, overlays: Images) -> Entropies:
    """Mean entropy in bits of each input under all overlays; sums of bytes stop at 255."""
    total = np.zeros(len(images))
    for overlay in overlays:
        laid = np.minimum(images.astype(np.uint16) + overlay, 255).astype(np.uint8)
        total += case.deployed.entropies(case.name, laid)
    return total / max(len(overlays), 1)


def thresholds(values: Entropies, classes: Labels, count: int) -> Entropies:
    """By class, the entropy below which only ``FALSE_ALARMS`` of held-out samples lie."""
    whole = float(np.quantile(values, FALSE_ALARMS))
    return np.array(
        [
            float(np.quantile(values[classes == one], FALSE_ALARMS))
            if (classes == one).sum() >= FEWEST_OF_CLASS
            else whole
            for one in range(count)
        ]
    )


def check(case: Case) -> CheckFigures:
    """Calibrate, screen the training samples, and try the triggers found so far."""
    before = case.deployed.passes
    count = QUICK_OVERLAYS if case.quick else OVERLAYS
    generator = case.generator(2)
    half = case.search.images
    chosen = generator.permutation(len(half))
    overlays = half[chosen[:count]]
    own = half[chosen[count : count + SAMPLES]]
    clean = entropies(case, own, overlays)
    answers = case.deployed.classes(case.name, own)
    limits = thresholds(clean, answers, case.classes)
    # The false alarms that come with these thresholds, on samples that did not set them.
    fresh = case.measure.images
    fresh_values = entropies(case, fresh, overlays)
    alarms = int((fresh_values < limits[case.answers]).sum())
    low, high = wilson(alarms, len(fresh))
    parts = [
        f"false alarms {100 * alarms / len(fresh):.1f} % ({100 * low:.1f} to {100 * high:.1f}) of "
        f"{len(fresh)} held-out samples"
    ]
    scores: tuple[Score, ...] = ()
    charts: tuple[BarChart, ...] = ()
    histogram = None
    train = None if case.task.trusted or case.task.data is None else case.task.data.train
    if train is not None and len(train):
        size = QUICK_SCREENED if case.quick else SCREENED
        picked = np.sort(generator.permutation(len(train))[:size])
        seen = entropies(case, train.images[picked], overlays)
        labels = train.labels[picked]
        score, said, charts = _screen(case, seen, labels, limits)
        scores = (score,)
        parts.append(said)
    found = case.triggers_found()
    if found:
        best = found[0]
        with_trigger = entropies(case, best.trigger.on(fresh), overlays)
        area = area_under_curve(with_trigger, fresh_values)
        parts.append(f"the strongest trigger found is told from clean samples with AUC {area:.2f}")
        histogram = _histogram(fresh_values, with_trigger, "with the strongest trigger", limits)
    elif train is not None and len(train):
        histogram = _histogram(fresh_values, seen, "training samples", limits)
    if train is None or not len(train):
        parts.append("there are no training samples to screen")
    return CheckFigures(
        name=NAME,
        title="Superposition entropy (STRIP)",
        outcome=scores[0].outcome if scores else Outcome.SKIPPED,
        looked_for=f"training samples whose answer no overlay changes; {count} overlays each",
        said="; ".join(parts),
        limit=f"{100 * case.limits[FIGURE]:.0f} % of a class's samples below its threshold, which "
        f"{100 * FALSE_ALARMS:.0f} % of held-out samples are below",
        blind="waves, noise and weak patches, which an overlay destroys; attacks of low success",
        passes=case.deployed.passes - before,
        charts=charts,
        histogram=histogram,
        scores=scores,
    )


def _screen(
    case: Case, seen: Entropies, labels: Labels, limits: Entropies
) -> tuple[Score, str, tuple[BarChart, ...]]:
    """The share of each class's training samples that is below the class's threshold."""
    bars, lows = [], []
    for target in range(case.classes):
        own = seen[labels == target]
        hits = int((own < limits[target]).sum())
        low, _ = wilson(hits, len(own), case.classes)
        share = hits / max(len(own), 1)
        lows.append(low)
        bars.append(
            Bar(
                label=case.task.labels[target],
                value=share,
                text=f"{100 * share:.0f} % of {len(own)}",
            )
        )
    worst = int(np.argmax([bar.value for bar in bars]))
    share = bars[worst].value
    limit = case.limits[FIGURE]
    score = Score(name=FIGURE, value=share, low=max(lows), limit=limit)
    said = (
        f"of the training samples of {case.task.labels[worst]}, {100 * share:.0f} % are below "
        "their threshold, more than of any other class"
    )
    title = "Training samples below their class's threshold"
    return score, said, (BarChart(title=title, limit=limit, bars=tuple(bars)),)


def _histogram(clean: Entropies, other: Entropies, name: str, limits: Entropies) -> Histogram:
    top = float(max(clean.max(initial=0.0), other.max(initial=0.0), 1e-6))
    edges = np.linspace(0, top, BINS + 1)

    def shares(values: Entropies) -> tuple[float, ...]:
        counts = np.histogram(values, edges)[0]
        return tuple(float(count) / max(len(values), 1) for count in counts)

    return Histogram(
        title="Entropy of the answers under superposition, bits",
        edges=tuple(float(edge) for edge in edges),
        clean_name="held-out samples",
        clean=shares(clean),
        other_name=name,
        other=shares(other),
        threshold=float(np.median(limits)),
    )
