"""Verdicts on attacks on keys, from made-up figures: leaks fail, blind experiments stay open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rbnn.engine.native import NativeEngine
from rbnn.theft.attacks.findings import oracle_verdicts, search_findings
from rbnn.theft.attacks.forced import LOGIT_ONE, ForcedEngine
from rbnn.theft.attacks.layers import StoredLayers
from rbnn.theft.attacks.plan import (
    Attack,
    ClimbResult,
    Ground,
    KeyKind,
    LayerPrediction,
    OracleResult,
    SearchResult,
)
from rbnn.theft.attacks.predict import LayerBits, predict_layer
from rbnn.train.transfer import load_network


def bits(count: int, seed: int, share: float = 0.5) -> Any:
    return np.random.default_rng(seed).random(count) < share


def layer(stored: Any, other: Any, wanted: Any, *periods: int) -> dict[str, LayerBits]:
    return {"order": LayerBits(stored, other, wanted, periods)}


def test_the_key_bits_are_the_trained_networks(random_export: Callable[..., Any]) -> None:
    made = random_export(width=40, trunk=1)  # channels that are padded
    layers = StoredLayers.of(made.run)
    network = load_network(made.run)
    for number, mask in layers.masks("grey").items():
        weights = network.shared[number].task_kernel("grey").numpy()
        np.testing.assert_array_equal(layers.stored[number] ^ mask, weights > 0)
        packed = layers.packed(number, layers.stored[number])
        assert packed == made.export.container.stored_bits(number)
        np.testing.assert_array_equal(layers.unpacked(number, packed), layers.stored[number])
    assert layers.trunk_layers == 1
    trunk = next(iter(layers.stored))
    np.testing.assert_array_equal(layers.masks("grey")[trunk], layers.masks("colour")[trunk])


def test_independent_key_bits_are_not_predicted() -> None:
    found = predict_layer(layer(bits(40000, 1), bits(40000, 2), bits(40000, 3), 32), 1, 10)
    assert found.low < 0.5 < found.high
    assert found.beyond > 0.005


@pytest.mark.parametrize("kind", ["other", "repeated", "neighbour"])
def test_dependent_key_bits_are_predicted(kind: str) -> None:
    stored, other, noise = bits(40000, 1), bits(40000, 2), bits(40000, 3, 0.4)
    wanted = {
        "other": ~other ^ noise,
        "repeated": np.resize(bits(32, 4), 40000) ^ noise,
        "neighbour": np.roll(stored ^ other, 1) ^ noise,
    }[kind]
    found = predict_layer(layer(stored, other, wanted, 32), 1, 10)
    assert found.accuracy == pytest.approx(0.6, abs=0.02)
    assert found.low > 0.5
    assert found.beyond < 1e-6


def test_weights_that_are_mostly_positive_are_no_leak() -> None:
    stored, other, weights = bits(40000, 1), bits(40000, 2), bits(40000, 3, 0.6)
    found = predict_layer(layer(stored, other, stored ^ weights, 32), 1, 10)
    assert found.accuracy == pytest.approx(found.prior, abs=0.01)
    assert found.low > 0.5
    assert found.beyond > 0.005


def asked(stream: float, weak: float, own: int = 60, wanted: int = 32) -> OracleResult:
    def row(key: KeyKind, accuracy: float) -> LayerPrediction:
        return LayerPrediction(
            key=key, layer=0, predictor="linear", tested=10000, accuracy=accuracy,
            low=accuracy - 1, high=accuracy + 1, prior=50, beyond=1e-9 if accuracy > 52 else 0.5,
        )  # fmt: skip

    return OracleResult(
        victim="a", other="b", seed=1, trunk=0,
        layers=(row("stream", stream), row("sign", weak), row("short", weak)),
        climb=ClimbResult(layer=3, bits=64, queries=99, own=own, wanted=wanted),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (asked(50, 99), "passed passed passed passed passed"),
        (asked(60, 99), "failed passed passed passed passed"),
        (asked(50, 50), "open failed failed passed passed"),
        (asked(50, 99, wanted=60), "passed passed passed failed passed"),
        (asked(50, 99, own=32), "passed passed passed open failed"),
    ],
)
def test_oracle_verdicts(result: OracleResult, expected: str) -> None:
    assert [one.outcome for one in oracle_verdicts([result])] == expected.split()


def found(gains: dict[Ground, float], victims: str = "abcde") -> list[SearchResult]:
    noise = np.random.default_rng(1)
    return [
        SearchResult(
            victim=victim, share=1, seed=1, ground=ground, samples=9, seconds=1,
            first_accuracy=0.3,
            test_accuracy=0.3 + gains.get(ground, 0) + noise.normal(0, 0.005),
            chance=0.25, unknown_bits=100, right_bits=50,
        )
        for victim in victims
        for ground in Ground
    ]  # fmt: skip


@pytest.mark.parametrize("attack", [Attack.GENETIC, Attack.GRADIENT])
def test_search_verdicts(attack: Attack) -> None:
    def outcomes(results: list[SearchResult]) -> list[str]:
        return [one.outcome for one in search_findings(attack, results)[1]]

    control = {Ground.KNOWN: 0.2}
    assert outcomes(found(control)) == ["passed", "passed"]
    assert outcomes(found({**control, Ground.BITS: 0.1})) == ["failed", "passed"]
    assert outcomes(found({})) == ["open", "failed"]
    assert outcomes(found({**control, Ground.BITS: 0.1}, "ab")) == ["open", "open"]


def test_forced_masks_compute_what_a_forced_secret_computes(
    random_export: Callable[..., Any],
) -> None:
    made = random_export()
    layers = StoredLayers.of(made.run)
    engine = ForcedEngine(made.run, layers, "colour")
    images = made.images["colour"][:8]
    native = NativeEngine(made.export.container)
    for task in ("grey", "colour"):
        secret = made.secrets["colour"]
        wanted = native.logits(0, secret, images, forced=made.secrets[task])
        got = engine.logits(layers.masks(task), images)
        np.testing.assert_array_equal(got * LOGIT_ONE, wanted)
    with pytest.raises(ValueError, match="Received: 3"):
        native.force_bits(0, bytes(3))
