"""Task ``digits``: the handwritten digits that are bundled with scikit-learn, 1,797 images.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (its
test set, from ``sklearn.datasets.load_digits``: 8x8 counts of 0..16).
"""

from __future__ import annotations

import numpy as np

from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Images, Split
from rbnn.tasks.form import USUAL, Sides

TEST_SHARE = 0.2
SEED = 20260
ORIGIN = "bundled with scikit-learn (UCI optical recognition of handwritten digits)"


def enlarge(counts: Images, sides: Sides = USUAL) -> Images:
    """Scale one 8x8 image of 0..16 smoothly to an image of 0..255."""
    from PIL import Image

    grey = np.minimum(counts.astype(np.uint16) * 16, 255).astype(np.uint8)
    picture = Image.fromarray(grey).resize(sides[::-1], Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.uint8)[:, :, None]


def make(sides: Sides = USUAL) -> Decoded:
    """Load the set; 80 % of each class for training, 20 % for testing, always the same samples."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    labels = raw.target.astype(np.int64)
    images = np.stack([enlarge(image.astype(np.uint8), sides) for image in raw.images])
    random = np.random.default_rng(SEED)
    is_test = np.zeros(len(labels), dtype=np.bool_)
    for digit in range(10):
        members = random.permutation(np.flatnonzero(labels == digit))
        is_test[members[: round(len(members) * TEST_SHARE)]] = True
    return Decoded(
        labels=tuple(str(digit) for digit in range(10)),
        train=Split(images[~is_test], labels[~is_test]),
        test=Split(images[is_test], labels[is_test]),
        kind="image",
    )
