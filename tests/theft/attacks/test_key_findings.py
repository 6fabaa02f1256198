"""Verdicts on attacks on keys, from made-up figures: leaks fail, blind experiments stay open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rbnn.engine.native import NativeEngine
from rbnn.theft.attacks.attack import Attack
from rbnn.theft.attacks.climb import Climb, climb, pull
from rbnn.theft.attacks.findings import search_findings
from rbnn.theft.attacks.forced import LOGIT_ONE, ForcedEngine
from rbnn.theft.attacks.layers import StoredLayers
from rbnn.theft.attacks.oracle_findings import oracle_tests, oracle_verdicts
from rbnn.theft.attacks.plan import (
    ClimbResult,
    Ground,
    KeyKind,
    LayerCounts,
    LayerPrediction,
    OracleResult,
    SearchResult,
)
from rbnn.theft.attacks.predict import LayerBits, predict_layer
from rbnn.train.transfer import load_network


def bits(count: int, seed: int, share: float = 0.5) -> Any:
    return np.random.default_rng(seed).random(count) < share


def layer(stored: Any, other: Any, wanted: Any, *periods: int) -> dict[str, LayerBits]:
    return {"order": LayerBits(stored, other, wanted, np.ones(len(stored), np.bool_), periods)}


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
    found = predict_layer(layer(bits(40000, 1), bits(40000, 2), bits(40000, 3), 32), 1)
    assert 100 * found.hits / found.tested == pytest.approx(50, abs=1)
    assert found.p > 0.005


@pytest.mark.parametrize("bias", [0.5, 0.6])
@pytest.mark.parametrize("kind", ["other", "repeated"])
def test_dependent_key_bits_are_predicted(kind: str, bias: float) -> None:
    """Even where the weights' bias gives better guesses than the dependence does."""
    weights, noise = bits(40000, 5, bias), bits(40000, 3, 0.46)
    if kind == "other":
        wanted = bits(40000, 6)
        other = ~wanted ^ noise
    else:
        wanted, other = np.resize(bits(32, 4), 40000) ^ noise, bits(40000, 2)
    found = predict_layer(layer(wanted ^ weights, other, wanted, 32), 1)
    assert found.predictor.startswith("period 32" if kind == "repeated" else ("K_A", "linear"))
    assert found.hits / found.tested == pytest.approx(0.54, abs=0.01)
    assert found.p < 1e-6


def test_a_dependence_on_neighbours_is_predicted() -> None:
    stored, other, noise = bits(40000, 1), bits(40000, 2), bits(40000, 3, 0.46)
    found = predict_layer(layer(stored, other, np.roll(stored ^ other, 1) ^ noise, 32), 1)
    assert found.predictor.startswith("linear")
    assert found.p < 1e-6


def test_padding_is_neither_fitted_nor_tested() -> None:
    """It is the same under every key: it would look predicted."""
    stored, other, wanted = bits(8000, 1), bits(8000, 2), bits(8000, 3)
    padded = [np.concatenate([one, np.zeros(40000, np.bool_)]) for one in (stored, other, wanted)]
    views = {"order": LayerBits(*padded, np.arange(48000) < 8000, (32,))}
    found = predict_layer(views, 1)
    assert found.tested == pytest.approx(4000, abs=200)
    assert found.p > 0.005


def test_weights_that_are_mostly_positive_are_no_leak() -> None:
    """P agrees with a key as often as the weights have their usual sign: that is no leak."""
    stored, other, weights = bits(40000, 1), bits(40000, 2), bits(40000, 3, 0.6)
    found = predict_layer(layer(stored, other, stored ^ weights, 32), 1)
    assert found.usual / found.tested == pytest.approx(0.6, abs=0.01)
    assert found.p > 0.005


class Linear:
    """A layer whose key bits an oracle shows one by one, each as a score; the first answer, the
    oracle's, may be that of another key."""

    def __init__(self, oracle: Any) -> None:
        self._oracle = oracle

    def logits(self, masks: Any, images: Any) -> Any:
        answer, self._oracle = self._oracle, None
        return (masks[0] if answer is None else answer).astype(float)


def climbed(oracle: Any, own: Any, wanted: Any, queries: int = 400, seed: int = 1) -> Climb:
    images = np.zeros((256, 1, 1, 1), np.uint8)
    return climb(Linear(oracle), 0, own, wanted, images, 1, queries, (seed,), 256)


def test_agreement_of_a_finished_climb_is_that_of_the_keys() -> None:
    """However far from half it is, and whatever the start: more seeds do not make it evidence."""
    own = bits(256, 1)[:, None]
    wanted = own ^ (np.arange(256) >= 150)[:, None]  # 58.6 % in common
    for seed in range(8):
        one = climbed(own, own, wanted, 256, seed)
        assert (one.own, one.alike, one.wanted) == (256, 150, 150)
        assert one.start_wanted != one.wanted
        assert pull(one.bits, one.alike, one.own, one.wanted) == 1


def test_a_climb_that_is_cut_short_has_no_pull() -> None:
    low = 0
    for seed in range(40):
        one = climbed(bits(256, seed)[:, None], bits(256, seed)[:, None],
                      bits(256, seed + 99)[:, None], 120, seed)  # fmt: skip
        assert one.start_own < one.own < 256
        low += pull(one.bits, one.alike, one.own, one.wanted) < 0.05
    assert low <= 6  # 2 expected


@pytest.mark.parametrize("share", [1.0, 0.2])
def test_an_oracle_that_answers_with_some_of_the_wanted_key_is_a_leak(share: float) -> None:
    own, wanted = bits(256, 1)[:, None], bits(256, 2)[:, None]
    oracle = np.where(bits(256, 3, share)[:, None], wanted, own)
    one = climbed(oracle, own, wanted, 1000)
    assert pull(one.bits, one.alike, one.own, one.wanted) < 1e-6


def asked(
    stream: float = 0.5,
    weak: float = 0.99,
    own: int = 60,
    wanted: int = 32,
    stored: int = 5000,
    alike: int = 5000,
    victims: int = 1,
) -> list[OracleResult]:
    """P-values as of predictors that are right in this share."""

    def row(key: KeyKind, share: float, layer: int = 0) -> LayerPrediction:
        return LayerPrediction(
            key=key, layer=layer, predictor="linear", tested=10000, hits=round(10000 * share),
            usual=5000, p=1e-9 if share > 0.52 else 0.004 if share > 0.51 else 0.5,
        )  # fmt: skip

    counts = LayerCounts(
        layer=0, bits=10000, stored=stored, key=5000, weights=5300, alike=alike
    )  # fmt: skip
    return [
        OracleResult(
            victim=f"a{number}", other="b", seed=1, trunk=0,
            layers=(row("stream", stream), row("sign", weak), row("short", weak)),
            counts=(counts,),
            climb=ClimbResult(layer=3, bits=64, queries=99, alike=32, start_own=32,
                              start_wanted=32, own=own, wanted=wanted),
        )
        for number in range(victims)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (asked(), "passed passed passed passed passed passed"),
        (asked(0.6), "failed passed passed passed passed passed"),
        # One layer in many is below 1 %: so are some of many fair coins.
        (asked(0.515, victims=7), "passed passed passed passed passed passed"),
        (asked(0.5, 0.5), "open failed failed passed passed passed"),
        (asked(stored=5300), "passed passed passed failed passed passed"),
        (asked(alike=5300), "passed passed passed failed passed passed"),
        # All 16 bits that are unlike K_A are like K_C.
        (asked(own=48, wanted=48), "passed passed passed passed failed passed"),
        (asked(own=32, wanted=32), "passed passed passed passed open failed"),
    ],
)
def test_oracle_verdicts(results: list[OracleResult], expected: str) -> None:
    found = oracle_verdicts(results, oracle_tests(results))
    assert [one.outcome for one in found] == expected.split()


def test_all_tests_of_an_oracle_attack_are_corrected_together() -> None:
    results = [*asked(0.515), *(one.model_copy(update={"seed": 2}) for one in asked())]
    tests = oracle_tests(results)
    # Two seeds of predictions and climbs; the layer's evenness does not depend on the seed.
    assert [one.claim for one in tests] == ["predict", *["even"] * 3, "climb", "predict", "climb"]
    assert tests[0].adjusted == pytest.approx(0.004 * 7)


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
