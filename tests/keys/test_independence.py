"""The stored bits reveal nothing about a task's weights while its secret is unknown.

P is fixed by the weights of a task and that task's key stream: ``P = weights xor stream``. For a
fixed network, and however biased its weights are, P over random secrets is uniform; so is the
network that a wrong secret gives, and two tasks' streams are unrelated. Thresholds are those of a
two-sided test at 1e-6 per figure.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy.stats import chi2, norm

from rbnn.spec.key_stream import reconfigure, stream_key

LAYER_BYTES = 1 << 16
MODEL_ID = b"model of the day"
ALPHA = 1e-6


def key(number: int, model_id: bytes = MODEL_ID) -> bytes:
    secret = hashlib.blake2b(b"TEST-ONLY secret %d" % number, digest_size=32).digest()
    return stream_key(secret, model_id)


def networks() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    return {
        "constant": bytes(LAYER_BYTES),
        "striped": b"\x0f" * LAYER_BYTES,
        "nearly all ones": np.packbits(rng.random(8 * LAYER_BYTES) < 0.95).tobytes(),
    }


def monobit(data: bytes) -> float:
    """p-value of the count of ones."""
    bits = 8 * len(data)
    ones = int(np.unpackbits(np.frombuffer(data, np.uint8)).sum())
    return float(2 * norm.sf(abs(2 * ones - bits) / np.sqrt(bits)))


def bytes_uniform(data: bytes) -> float:
    """p-value of chi-square over the 256 byte values."""
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), 255))


def correlated(first: bytes, second: bytes) -> float:
    """p-value of the agreement of two bit strings."""
    mixed = np.frombuffer(first, np.uint8) ^ np.frombuffer(second, np.uint8)
    return monobit(mixed.tobytes())


@pytest.mark.parametrize("name", networks())
@pytest.mark.parametrize("number", range(4))
def test_stored_bits_of_a_fixed_network_are_uniform(name: str, number: int) -> None:
    weights = networks()[name]
    stored = reconfigure(weights, key(number), 3)
    assert monobit(stored) > ALPHA
    assert bytes_uniform(stored) > ALPHA
    assert correlated(stored, weights) > ALPHA


def test_each_stored_bit_is_uniform_over_secrets() -> None:
    weights = networks()["nearly all ones"][:256]
    count = 2000
    ones = sum(
        np.unpackbits(np.frombuffer(reconfigure(weights, key(n), 0), np.uint8)).astype(np.int64)
        for n in range(count)
    )
    statistic = ((2 * np.asarray(ones) - count) ** 2 / count).sum()
    assert ALPHA < float(chi2.cdf(statistic, 2048)) < 1 - ALPHA


def test_a_wrong_secret_another_layer_or_model_give_an_unrelated_network() -> None:
    weights = networks()["nearly all ones"]
    stored = reconfigure(weights, key(0), 3)
    assert reconfigure(stored, key(0), 3) == weights
    for wrong in (
        reconfigure(stored, key(1), 3),
        reconfigure(stored, key(0), 4),
        reconfigure(stored, key(0, b"model of the eve"), 3),
    ):
        assert correlated(wrong, weights) > ALPHA
        assert monobit(wrong) > ALPHA


def test_the_statistics_detect_what_is_not_uniform() -> None:
    weights = networks()["nearly all ones"]
    assert monobit(weights) < ALPHA and bytes_uniform(weights) < ALPHA
    assert correlated(weights, weights) < ALPHA
