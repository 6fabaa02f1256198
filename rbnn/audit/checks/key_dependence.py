"""Triggers under wrong secrets: does what was found sit in the bits, or in what no key protects?

Source: rbnn's own (docs/security.md, "Wrong secrets"); the question is that of Qiu et al. (arXiv
2105.03822), what a network is without its key.

Threat: a trigger in the batch norms or thresholds, or in a first layer that the task's key does not
turn, works whatever the key is. Such a trigger is not in the shared bits, so training them again
does not remove it.

Cost: ``SECRETS`` times the measured samples, a second or two.

Blind spots: only triggers that another check found. A network under a wrong secret answers almost
the same for all inputs; samples that already have the target's answer do not count, so the share
may rest on few samples.
"""

from __future__ import annotations

import numpy as np

from rbnn.audit.case import Case
from rbnn.audit.figures import Bar, BarChart, CheckFigures, Outcome
from rbnn.audit.limits import KEYLESS_SHARE
from rbnn.audit.trigger import share_taken
from rbnn.spec.key_stream import SECRET_BYTES

NAME = "key dependence"
SECRETS = 10
SAMPLES = 300
TRIED = 3


def check(case: Case) -> CheckFigures:
    """Try the strongest triggers under wrong secrets. They add no finding: each is one already."""
    before = case.deployed.passes
    found = case.triggers_found()[:TRIED]
    generator = case.generator(4)
    images = case.measure.images[:SAMPLES]
    secrets = [generator.bytes(SECRET_BYTES) for _ in range(SECRETS)]
    bars, parts = [], []
    for one in found:
        shares = []
        for secret in secrets:
            plain = case.deployed.classes(case.name, images, secret)
            laid = case.deployed.classes(case.name, one.trigger.on(images), secret)
            hits, tested = share_taken(plain, laid, one.target)
            if tested:
                shares.append(hits / tested)
        mean = float(np.mean(shares)) if shares else 0.0
        bars.append(Bar(label=one.name, value=mean, text=f"{100 * mean:.1f} %"))
        where = "does not depend on the key" if mean > KEYLESS_SHARE else "needs the key"
        parts.append(f"{one.name}: {100 * mean:.1f} % under wrong secrets, so it {where}")
    independent = any(bar.value > KEYLESS_SHARE for bar in bars)
    outcome = Outcome.SKIPPED
    if found:
        outcome = Outcome.FOUND if independent else Outcome.NOTHING
    return CheckFigures(
        name=NAME,
        title="Dependence on the key",
        outcome=outcome,
        looked_for=f"the found triggers under {SECRETS} wrong secrets",
        said="; ".join(parts) if parts else "no trigger was found that could be tried",
        limit=f"{100 * KEYLESS_SHARE:.0f} % under wrong secrets, on average",
        blind="triggers that no other check found",
        passes=case.deployed.passes - before,
        charts=(
            (BarChart(title="Success under wrong secrets", limit=KEYLESS_SHARE, bars=tuple(bars)),)
            if bars
            else ()
        ),
    )
