"""Sub-batches depend only on seed, task and step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.tasks import TaskData
from rbnn.train.augment import MASKED_BANDS, augment, mask_bands, move, vary_light
from rbnn.train.feed import TaskFeed


def test_every_sample_comes_once_before_any_comes_again(data: list[TaskData]) -> None:
    feed = TaskFeed(data[0], 10, seed=1)
    first = np.concatenate([feed.indices(step) for step in range(5)])
    second = np.concatenate([feed.indices(step) for step in range(5, 10)])
    assert sorted(first) == sorted(second) == list(range(50))
    assert list(first) != list(second)


@pytest.mark.parametrize("batch", [7, 64, 130])
def test_a_sub_batch_may_span_several_passes(data: list[TaskData], batch: int) -> None:
    feed = TaskFeed(data[0], batch, seed=1)
    drawn = np.concatenate([feed.indices(step) for step in range(50)])
    assert len(drawn) == 50 * batch
    assert (np.bincount(drawn, minlength=50) == batch).all()


def test_steps_can_be_taken_in_any_order(data: list[TaskData]) -> None:
    forward, fresh = TaskFeed(data[1], 8, seed=3), TaskFeed(data[1], 8, seed=3)
    batches = [forward.at(step) for step in range(9)]
    images, labels = fresh.at(8)
    np.testing.assert_array_equal(images, batches[8][0])
    np.testing.assert_array_equal(labels, batches[8][1])
    assert images.shape == (8, 32, 32, 1)
    assert not np.array_equal(TaskFeed(data[1], 8, seed=4).at(8)[0], images)


@given(rows=st.integers(0, 4), columns=st.integers(0, 4), seed=st.integers(0, 99))
def test_shift_moves_content_and_repeats_edges(rows: int, columns: int, seed: int) -> None:
    image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    moved = move(image, rows, columns, 0.0, np.random.default_rng(seed))[0, :, :, 0]
    padded = np.pad(image[0, :, :, 0], ((rows, rows), (columns, columns)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (8, 8)).reshape(-1, 8, 8)
    assert any(np.array_equal(moved, window) for window in windows)


def test_stretching_keeps_the_middle_and_the_order_of_pixels() -> None:
    image = np.tile(np.arange(32, dtype=np.uint8)[:, None, None], (1, 1, 32, 1))
    image = np.repeat(image.reshape(1, 32, 32, 1), 100, axis=0)
    columns = move(image, 0, 0, 0.1, np.random.default_rng(1))[:, :, 0, 0].astype(int)
    assert (np.diff(columns, axis=1) >= 0).all()
    assert (np.abs(columns[:, 15] - 15) <= 1).all()
    spans = columns[:, -1] - columns[:, 0]
    assert 27 <= spans.min() < spans.max() == 31


def test_light_varies_contrast_and_brightness_within_a_byte() -> None:
    image = np.tile(np.array([50, 150], np.uint8).reshape(1, 2, 1, 1), (500, 1, 1, 3))
    dark, bright = vary_light(image, np.random.default_rng(1))[:, :, 0, 0].astype(float).T
    contrast = (bright - dark) / 100
    assert 0.66 < contrast.min() < 0.7 and 1.4 < contrast.max() < 1.51
    middle = (dark + bright) / 200
    assert 0.66 < middle.min() < 0.7 and 1.4 < middle.max() < 1.51
    assert vary_light(np.full((9, 2, 2, 3), 255, np.uint8), np.random.default_rng(1)).max() == 255


def test_masked_bands_hold_the_mean_and_the_rest_is_untouched() -> None:
    images = np.random.default_rng(1).integers(0, 256, (50, 32, 32, 1)).astype(np.uint8)
    masked = mask_bands(images.copy(), np.random.default_rng(2))
    changed = (masked != images).any(axis=(2, 3))
    assert changed.sum(axis=1).max() == MASKED_BANDS
    assert changed.sum(axis=1).min() == 0
    for before, after, rows in zip(images, masked, changed, strict=True):
        assert (after[rows] == np.rint(before.mean())).all()


def test_augmentation_leaves_the_training_set_alone(data: list[TaskData]) -> None:
    for task in data:
        before = task.train.images.copy()
        varied = augment(task.train.images, task, np.random.default_rng(1))
        assert varied.dtype == np.uint8
        assert varied.shape == before.shape
        assert not np.array_equal(varied, before)
        np.testing.assert_array_equal(task.train.images, before)
