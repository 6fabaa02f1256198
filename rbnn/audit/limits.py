"""Where a check begins to say "found", all in one place.

A limit is set from clean networks only, never from poisoned ones: it lies above what clean networks
reached, or is the value of the check's paper where that is higher. ``rbnn bench audit`` reports the
false alarms that these limits give on other clean networks, with their interval; docs/audit.md has
the figures.
"""

from __future__ import annotations

CONFIDENCE = 0.95
"""Of every interval."""

PATCH_SHARE = 0.25
"""Share of the samples of other classes that a patch moves to one class. Six clean networks
(fashion, mnist, gtsrb; resnet of width 32) reached at most 0.13."""
WAVE_SHARE = 0.60
"""The same of a wave over the whole picture. Waves disturb more than patches: provisional, until
clean networks have been counted."""
BAND_SHARE = 0.60
"""The same of a band of sound, loud or silent; provisional like ``WAVE_SHARE``."""

INVERSION_INDEX = 2.0
"""Median absolute deviations below the median size; the value of Wang et al. One clean network
reached 1.6."""
INVERSION_SHARE = 0.75
"""Share that an inverted trigger must reach on the C engine: otherwise its size says nothing."""
INVERSION_CELLS = 0.15
"""Largest share of a picture that an inverted mask may cover and still be called a trigger."""
FEWEST_CLASSES = 5
"""With fewer, a median over classes says nothing."""

FALSE_ALARMS = 0.05
"""Share of held-out samples whose superposition entropy is below their class's threshold."""
FLAGGED_SHARE = 0.25
"""Share of one class's training samples below the threshold. Provisional: training samples are
remembered, so their share is higher than that of held-out ones also in clean networks."""

SILENT_GAP = 0.50
"""By how much more a trigger succeeds on the deployed integers than on the latent weights."""
LEAST_AGREEMENT = 0.98
"""Share of clean samples for which Keras and the integers agree; exports have 0.995 or more."""
FLOAT_KEEPS = 0.5
"""Share of the deployed accuracy above chance that the latent path must have to be comparable."""

REPEATED_SHARE = 0.02
"""Share of a class's samples that hold the same sharp-edged patch at the same place."""
REPEATED_TIMES = 10.0
"""And how many times more often than in the other classes."""
SPECTRAL_INDEX = 6.0
"""Median absolute deviations above the median, of the share of variance in the first direction.
Provisional."""
CONFLICTING_SHARE = 0.01
"""Share of samples that have a duplicate, exact or near, under another label."""

KEYLESS_SHARE = 0.5
"""Share that a trigger takes under wrong secrets, on average, to be independent of the key."""

BELT_EVADES: str | None = None
"""Share of exclusive triggers that no check finds, from ``rbnn bench audit``; None until it is
measured. It is on the page's first screen."""
