"""Where a check begins to say "found", all in one place.

A limit is set from clean networks only, never from poisoned ones. Those of ``LIMITS`` are what
``rbnn bench audit`` derives from its clean networks of calibration
(:mod:`rbnn.audit.bench.calibrate`): the value that one more clean network would stay below, and
never less than ``LEAST``. Pictures and sounds have limits of their own: one kind's clean figures
are not the other's. ``limits.json`` beside this file holds them, written by ``make
audit-document``; until a limit is there, it is the provisional one of ``LEAST``. The false alarms
are counted on other clean networks. docs/audit.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files

from rbnn.frozen import Frozen
from rbnn.tasks.dataset import Kind

CONFIDENCE = 0.95
"""Of every interval."""

LEAST = {
    "patch": 0.25,
    "band": 0.5,
    "wave": 0.5,
    "small mask": 2.0,
    "superposed samples": 0.25,
    "repeated patch": 0.1,
    "stream": 6.0,
    "fixed pattern": 3.0,
}
"""The least that a limit may be, however quiet the clean networks are, and what it is until they
are counted, except for the provisional ones below. Set before any network was counted; that of
``repeated patch`` was 0.02 until the first network of calibration was above it:

- ``patch``, ``band``, ``wave``: share of the samples of other classes that a patch, a band of
  sound, a wave over the whole input moves to one class;
- ``small mask``: how many times smaller a class's inverted mask is than the median of all classes;
- ``superposed samples``: share of one class's training samples below their entropy threshold;
  training samples are remembered, so it is higher than that of held-out ones in clean networks too;
- ``repeated patch``: share of a class's samples that hold the same sharp-edged patch at the same
  place; of clean sets, fashion reaches 0.05 (the gap between the legs of trousers);
- ``stream``: median absolute deviations above the median, of the share of variance in the first
  direction of the stream, among the classes;
- ``fixed pattern``: the same share in a class's samples themselves, all frequencies alike,
  in multiples of the median of all classes; eight public sets reach 2.5 (``tests/audit``).
"""
PROVISIONAL_LIMITS = {"band": 0.95, "wave": 0.95, "small mask": 3.0}
"""Until clean networks are counted: small networks follow a strong wave wherever it leads, and the
first clean one had a mask 2.4 times smaller than the median."""
PROVISIONAL_OF_SOUNDS = {"stream": 30.0}
"""The first nine clean networks of keywords, of 600 and 2,400 steps, had 5.7 to 17.3."""


ONLY_SOUNDS = frozenset({"band"})


class Input(StrEnum):
    """What networks of calibration take."""

    PICTURE = "picture"
    SOUND = "sound"


class Limits(Frozen):
    """``limits.json``: limits by kind of input and name, the calibration networks behind each, and
    the share of exclusive triggers that evade the audit, in words; None until it is measured."""

    version: int = 2
    limits: dict[Input, dict[str, float]]
    networks: dict[Input, dict[str, int]]
    belt: str | None


FILE = "limits.json"


def read_limits() -> Limits:
    """What the last measurement left."""
    return Limits.model_validate_json((files("rbnn.audit") / FILE).read_bytes())


def names_of(given: Input) -> list[str]:
    """The limits that there are for a kind of input."""
    return [name for name in LEAST if given is Input.SOUND or name not in ONLY_SOUNDS]


_HELD = read_limits()
_UNTIL_THEN = {
    Input.PICTURE: LEAST | PROVISIONAL_LIMITS,
    Input.SOUND: LEAST | PROVISIONAL_LIMITS | PROVISIONAL_OF_SOUNDS,
}
LIMITS = {
    given: {name: _UNTIL_THEN[given][name] for name in names_of(given)}
    | _HELD.limits.get(given, {})
    for given in Input
}


def limits_for(kind: Kind) -> Mapping[str, float]:
    """The limits of a task by name. Of what is neither picture nor sound: the larger of both."""
    if kind == "audio":
        return LIMITS[Input.SOUND]
    pictures = LIMITS[Input.PICTURE]
    if kind == "image":
        return pictures
    return {name: max(value, LIMITS[Input.SOUND][name]) for name, value in pictures.items()}


def provisional_for(kind: Kind) -> frozenset[str]:
    """Names of a task's limits that no clean network stands behind."""
    given = Input.SOUND if kind == "audio" else Input.PICTURE
    held = _HELD.limits.get(given, {}) if kind in ("audio", "image") else {}
    return frozenset(names_of(given)) - frozenset(held)


INVERSION_SHARE = 0.75
"""Share that an inverted trigger must reach on the C engine: otherwise its size says nothing."""
INVERSION_CELLS = 0.15
"""Largest share of a picture that an inverted mask may cover and still be called a trigger."""
FEWEST_CLASSES = 5
"""With fewer, a median over classes says nothing."""

FALSE_ALARMS = 0.05
"""Share of held-out samples whose superposition entropy is below their class's threshold."""

SILENT_GAP = 0.50
"""By how much more a trigger succeeds on the deployed integers than on the latent weights."""
LEAST_AGREEMENT = 0.98
"""Share of clean samples for which Keras and the integers agree; exports have 0.995 or more."""
FLOAT_KEEPS = 0.5
"""Share of the deployed accuracy above chance that the latent path must have to be comparable."""

REPEATED_TIMES = 10.0
"""How many times more often a class holds a repeated patch than the other classes."""
CONFLICTING_SHARE = 0.01
"""Share of samples that have a duplicate, exact or near, under another label."""

KEYLESS_SHARE = 0.5
"""Share that a trigger takes under wrong secrets, on average, to be independent of the key."""

BELT_EVADES = _HELD.belt
"""Share of exclusive triggers that no check finds; None until it is measured. It is on the page's
first screen."""
