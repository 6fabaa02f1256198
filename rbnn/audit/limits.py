"""Where a check begins to say "found", all in one place.

A limit is to be set from clean networks only, never from poisoned ones: above what they reached, or
the value of the check's paper where that is higher. No limit is measured yet: all are provisional
until ``rbnn bench audit`` has counted clean networks. It reports the false alarms that the limits
give on others, with their interval; docs/audit.md has the figures.
"""

from __future__ import annotations

CONFIDENCE = 0.95
"""Of every interval."""

PATCH_SHARE = 0.25
"""Share of the samples of other classes that a patch moves to one class. Above 0.13,
the most that six clean networks of a trial reached, which no command repeats."""
WAVE_SHARE = 0.95
"""The same of a wave over the whole picture. Against the rule above, this limit was
raised from 0.60 after a poisoned network had given 0.88 of its samples to a class that nobody aimed
at: set it again from clean ones."""
BAND_SHARE = 0.95
"""The same of a band of sound, loud or silent; provisional like ``WAVE_SHARE``."""

INVERSION_INDEX = 2.0
"""Median absolute deviations below the median size; the value of Wang et al."""
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
