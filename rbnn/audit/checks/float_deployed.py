"""Latent weights against binarized ones against integers: what wakes on the way to the device.

Source: Ma et al., "Quantization Backdoors to Deep Learning Commercial Frameworks" (PQ backdoor,
arXiv 2108.09187): a backdoor that sleeps in the float model and wakes when it is quantized; arXiv
2512.06243 (checks on float models miss such attacks).

Threat: whoever delivers a trained network has trained its latent values to behave and their signs
not to. The same inputs, without and with the triggers that other checks found, go through the
latent values (their batch norms measured again), through the binarized network in Keras, and
through the exported integers in the C engine.

Cost: some thousand samples through Keras twice, under a minute. Needs TensorFlow and the run.

Blind spots: only triggers that another check found can show a gap. The latent values of an honest
training are no network of their own: where their accuracy is near chance, nothing can be compared,
and the check says so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rbnn.audit.case import Case
from rbnn.audit.figures import Bar, BarChart, CheckFigures, Outcome, Score
from rbnn.audit.keras_path import KerasPath, agreement
from rbnn.audit.limits import FLOAT_KEEPS, LEAST_AGREEMENT, SILENT_GAP
from rbnn.audit.trigger import share_taken
from rbnn.tasks.dataset import Images, Labels

NAME = "float against deployed"
TRIED = 3
QUICK_SAMPLES = 300


def check(case: Case) -> CheckFigures:
    """Compare the three paths of a task."""
    run, data = case.run, case.task.data
    assert run is not None and data is not None
    before = case.deployed.passes
    count = QUICK_SAMPLES if case.quick else len(case.measure)
    images, labels = case.measure.images[:count], case.measure.labels[:count]
    binarized, latent = KerasPath(run), KerasPath(run, latent=True)
    latent.prepare(case.name, data.train.images if len(data.train) else case.search.images)
    paths: dict[str, Callable[[str, Images], Labels]] = {
        "latent weights": latent.classes,
        "binarized in Keras": binarized.classes,
        "integers": case.deployed.classes,
    }
    answers = {name: path(case.name, images) for name, path in paths.items()}
    accuracy = {name: float(np.mean(found == labels)) for name, found in answers.items()}
    agrees = agreement(answers["binarized in Keras"], answers["integers"])
    chance = 1 / case.classes
    kept = (accuracy["latent weights"] - chance) / max(accuracy["integers"] - chance, 1e-6)
    comparable = kept >= FLOAT_KEEPS
    gaps = []
    parts = [
        f"accuracy {', '.join(f'{name} {100 * one:.1f} %' for name, one in accuracy.items())}",
        f"Keras and integers agree for {100 * agrees:.1f} %",
    ]
    for one in case.triggers_found()[:TRIED]:
        seen = one.trigger.on(images)
        shares = {}
        for name, path in paths.items():
            hits, tested = share_taken(answers[name], path(case.name, seen), one.target)
            shares[name] = hits / max(tested, 1)
        gaps.append(shares["integers"] - shares["latent weights"])
        written = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        parts.append(f"trigger {one.name}: {written}")
    outcome = Outcome.NOTHING
    if agrees < LEAST_AGREEMENT or (comparable and max(gaps, default=0.0) > SILENT_GAP):
        outcome = Outcome.FOUND
    elif not comparable:
        outcome = Outcome.SKIPPED if not gaps else Outcome.UNKNOWN
        parts.append("the latent values are no network of their own here, so they show nothing")
    bars = tuple(
        Bar(label=name, value=one, text=f"{100 * one:.1f} %") for name, one in accuracy.items()
    )
    return CheckFigures(
        name=NAME,
        title="Float against deployed",
        outcome=outcome,
        looked_for="different answers of latent weights, binarized weights and integers",
        said="; ".join(parts),
        limit=f"agreement of {100 * LEAST_AGREEMENT:.0f} %; a trigger that the integers obey "
        f"{100 * SILENT_GAP:.0f} points more than the latent weights",
        blind="triggers that no other check found",
        passes=case.deployed.passes - before,
        scores=(
            Score(
                name="disagreement",
                value=1 - agrees,
                low=1 - agrees,
                limit=1 - LEAST_AGREEMENT,
            ),
            *(
                Score(name="silent gap", value=gap, low=gap, limit=SILENT_GAP)
                for gap in gaps
                if comparable
            ),
        ),
        charts=(BarChart(title="Accuracy on clean samples", limit=None, bars=bars),),
    )
