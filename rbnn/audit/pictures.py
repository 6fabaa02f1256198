"""Triggers as small PNGs inside the page."""

from __future__ import annotations

import numpy as np

from rbnn.audit.trigger import Trigger
from rbnn.tasks.dataset import Kind
from rbnn.tasks.thumbnail import picture_uri

GROUND = 128
"""Grey on which a trigger is shown where it covers nothing."""


def trigger_uri(trigger: Trigger, kind: Kind) -> str:
    """A trigger by itself, as a data URI."""
    height, width, channels = trigger.values.shape
    ground = np.full((1, height, width, channels), GROUND, np.uint8)
    return picture_uri(trigger.on(ground)[0], kind)
