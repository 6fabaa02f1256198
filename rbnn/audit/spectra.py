"""Classes of two kinds: how much of a class's variance lies in one direction.

Source: Tran et al., "Spectral Signatures in Backdoor Attacks" (NeurIPS 2018): poisoned samples of a
class differ from the others in one direction. Zeng et al., "Rethinking the Backdoor Attacks'
Triggers: A Frequency Perspective" (ICCV 2021): triggers stand out at frequencies at which samples
have little power, so inputs are first divided by the mean spectrum of all samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.tasks.dataset import Images, Labels

Vectors = npt.NDArray[np.float32]
MOST = 500
"""Samples of a class."""
FEWEST = 20


def first_share(vectors: Vectors) -> float | None:
    """Share of the variance in the first direction; None if nothing varies."""
    centred = vectors - vectors.mean(axis=0)
    # The smaller of the two products has the same eigenvalues.
    wide = centred.shape[1] > centred.shape[0]
    product = centred @ centred.T if wide else centred.T @ centred
    total = float(np.trace(product))
    return float(np.linalg.eigvalsh(product)[-1]) / total if total > 0 else None


def members_of(labels: Labels, target: int, most: int) -> npt.NDArray[np.int64]:
    """Samples of a class, evenly spaced: a data set may be sorted by where its samples are from.

    Args:
        labels: of all samples.
        target: the class.
        most: how many at most.
    """
    own = np.flatnonzero(labels == target)
    if len(own) <= most:
        return own
    return np.asarray(own[np.linspace(0, len(own) - 1, most).astype(np.int64)])


def pattern_shares(images: Images, labels: Labels, classes: int) -> list[float | None]:
    """By class, the largest share of the variance that one fixed pattern explains, all frequencies
    being weighted alike; None where a class has too few samples.

    Args:
        images: of all classes.
        labels: their classes.
        classes: how many there are.
    """
    members = [members_of(labels, target, MOST) for target in range(classes)]
    everyone = np.concatenate(members)
    if not len(everyone):
        return [None] * classes
    height, width = images.shape[1:3]
    mean = images[everyone].mean(axis=0)
    power = np.zeros((height, width // 2 + 1, images.shape[3]))
    spectra = []
    for own in members:
        found = np.fft.rfft2(images[own] - mean, axes=(1, 2))
        power += (np.abs(found) ** 2).sum(axis=0)
        spectra.append(found)
    scale = np.sqrt(power / len(everyone))
    scale = np.where(scale > 1e-3 * scale.max(), scale, np.inf)
    shares: list[float | None] = []
    for found in spectra:
        if len(found) < FEWEST:
            shares.append(None)
            continue
        flat = np.fft.irfft2(found / scale, s=(height, width), axes=(1, 2))
        shares.append(first_share(flat.reshape(len(flat), -1).astype(np.float32)))
    return shares


def folds(shares: list[float | None], fewest: int) -> list[float | None]:
    """Each value in multiples of the median; all None if fewer than ``fewest`` are known."""
    known = [share for share in shares if share is not None]
    middle = float(np.median(known)) if known else 0.0
    if len(known) < fewest or middle <= 0:
        return [None] * len(shares)
    return [None if share is None else share / middle for share in shares]
