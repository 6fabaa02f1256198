"""Triggers laid over inputs, and how they are described."""

from __future__ import annotations

import numpy as np

from rbnn.audit.trigger import Trigger, share_taken, square


def test_a_patch_replaces_what_is_under_it() -> None:
    trigger = square((32, 32, 1), 3, 5, np.full((2, 4, 1), 255, np.float32))
    images = np.zeros((2, 32, 32, 1), np.uint8)
    laid = trigger.on(images)
    assert laid.dtype == np.uint8
    assert (laid[:, 3:5, 5:9] == 255).all()
    assert laid.sum() == 2 * 8 * 255
    assert trigger.size == 8
    assert trigger.describe("image") == "rows 3 to 4, columns 5 to 8 (8 pixels of 1024)"


def test_a_soft_mask_and_a_wave_stay_in_bytes() -> None:
    half = Trigger(np.full((32, 32), 0.5, np.float32), np.full((32, 32, 1), 255, np.float32))
    assert (half.on(np.full((1, 32, 32, 1), 100, np.uint8)) == 178).all()
    wave = Trigger(np.ones((32, 32), np.float32), np.full((32, 32, 1), -50, np.float32), True)
    assert (wave.on(np.full((1, 32, 32, 1), 20, np.uint8)) == 0).all()


def test_a_trigger_of_one_task_fits_another_ones_channels() -> None:
    colour = square((32, 32, 3), 0, 0, np.full((2, 2, 3), (30, 60, 90), np.float32))
    assert (colour.on(np.zeros((1, 32, 32, 1), np.uint8))[0, :2, :2] == 60).all()
    grey = square((32, 32, 1), 0, 0, np.full((2, 2, 1), 200, np.float32))
    assert (grey.on(np.zeros((1, 32, 32, 3), np.uint8))[0, :2, :2] == 200).all()


def test_a_mask_in_a_log_mel_picture_is_described_as_a_sound() -> None:
    tone = square((32, 32, 1), 24, 0, np.full((2, 32, 1), 255, np.float32))
    words = tone.describe("audio")
    assert "Hz" in words and "0 to 1,000 ms" in words and "2 bands" in words


def test_only_samples_of_other_classes_count() -> None:
    before, after = np.array([0, 1, 1, 2]), np.array([0, 0, 1, 0])
    assert share_taken(before, after, 0) == (2, 3)


def test_inputs_of_other_sizes_are_described_by_rows_and_columns() -> None:
    long = square((49, 10, 1), 3, 2, np.full((2, 2, 1), 255, np.float32))
    for kind in ("audio", "series"):
        assert long.describe(kind) == "rows 3 to 4, columns 2 to 3 (4 values of 490)"  # type: ignore[arg-type]
