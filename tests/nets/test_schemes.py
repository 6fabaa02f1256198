"""The schemes that are trained for comparison: sign, one bit per kernel; permute, secret orders."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from rbnn.nets import schemes
from rbnn.nets.architectures import lay_out
from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.framework import tf
from rbnn.nets.quantizer import KeyedSign
from rbnn.nets.schemes import ChannelOrders, channel_orders, pair_signs, secret_order
from rbnn.spec import key_stream
from rbnn.spec.key_stream import Use
from rbnn.spec.layout import Adapter, Cipher

SECRETS = {"colour": b"\1" * 32, "grey": b"\2" * 32}
MODEL = b"\3" * 16
TASKS = (
    TaskInput("colour", 5, 3, Adapter.IDENTITY, (120, 110, 100)),
    TaskInput("grey", 3, 1, Adapter.REPLICATE, (90, 90, 90)),
)
FALSE_ALARM = 1e-6
"""For each chi-square test here; the keys are fixed, so a test that passes once always does."""

Kernel = npt.NDArray[np.float32]


def key_number(number: int) -> bytes:
    return hashlib.blake2b(b"TEST-ONLY key %d" % number, digest_size=32).digest()


def network(scheme: str, architecture: str = "vgg") -> SharedNetwork:
    return SharedNetwork(lay_out(architecture, (16, 16, 3), 5, 32, 3), TASKS, scheme, seed=7)


def expected_kernel(scheme: str, stored: Kernel, key: bytes, layer: int) -> Kernel:
    """The definition, written out weight by weight of the last two axes."""
    inputs, outputs = stored.shape[-2:]
    result = np.empty_like(stored)
    if scheme == "sign":
        negated = pair_signs(key, layer, inputs, outputs, Cipher.CHACHA20)
        for i, o in np.ndindex(inputs, outputs):
            result[..., i, o] = -stored[..., i, o] if negated[i, o] else stored[..., i, o]
        return result
    orders = channel_orders(key, layer, inputs, outputs, Cipher.CHACHA20)
    for i, o in np.ndindex(inputs, outputs):
        result[..., i, o] = stored[..., orders.inputs[i], orders.outputs[o]]
    return result


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1), st.integers(1, 300))
@settings(max_examples=60)
def test_a_secret_order_is_a_permutation(key: bytes, layer: int, count: int) -> None:
    order = secret_order(key, layer, count, Cipher.CHACHA20, Use.INPUT_ORDER)
    np.testing.assert_array_equal(np.sort(order), np.arange(count))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=40)
def test_keys_have_the_shape_of_a_layers_channels(key: bytes, inputs: int, outputs: int) -> None:
    assert pair_signs(key, 1, inputs, outputs, Cipher.CHACHA20).shape == (inputs, outputs)
    orders = channel_orders(key, 1, inputs, outputs, Cipher.CHACHA20)
    assert (len(orders.inputs), len(orders.outputs)) == (inputs, outputs)


def test_all_orders_of_four_are_equally_likely() -> None:
    draws = 24 * 200
    seen = Counter(
        tuple(secret_order(key_number(n), 0, 4, Cipher.CHACHA20, Use.OUTPUT_ORDER).tolist())
        for n in range(draws)
    )
    assert len(seen) == math.factorial(4)
    expected = draws / 24
    statistic = sum((count - expected) ** 2 / expected for count in seen.values())
    assert chi2.sf(statistic, 23) > FALSE_ALARM


def test_every_channel_reaches_every_place_equally_often() -> None:
    draws, count = 3000, 32
    places = np.zeros((count, count))
    for n in range(draws):
        order = secret_order(key_number(n), 5, count, Cipher.CHACHA20, Use.INPUT_ORDER)
        places[np.arange(count), order] += 1
    expected = draws / count
    # Rows and columns have fixed sums; the statistic is chi-square except for the factor.
    statistic = ((places - expected) ** 2 / expected).sum() * (count - 1) / count
    freedom = (count - 1) ** 2
    assert FALSE_ALARM < chi2.cdf(statistic, freedom) < 1 - FALSE_ALARM


def test_signs_are_balanced_in_every_place() -> None:
    draws = 2000
    ones = sum(
        pair_signs(key_number(n), 2, 7, 9, Cipher.CHACHA20).astype(np.int64) for n in range(draws)
    )
    statistic = ((2 * np.asarray(ones) - draws) ** 2 / draws).sum()
    assert FALSE_ALARM < chi2.cdf(statistic, 63) < 1 - FALSE_ALARM


def test_equal_words_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.array([5, 1, 5, 9, 8, 7], "<u8").tobytes()
    monkeypatch.setattr(schemes, "key_stream", lambda key, layer, length, *rest: words[:length])
    order = secret_order(bytes(32), 0, 3, Cipher.CHACHA20, Use.INPUT_ORDER)
    np.testing.assert_array_equal(order, [2, 1, 0])


def test_streams_of_different_use_are_unrelated() -> None:
    key = key_stream.stream_key(SECRETS["grey"], MODEL)
    for cipher in Cipher:
        streams = {key_stream.key_stream(key, 3, 64, cipher, use) for use in Use}
        assert len(streams) == len(Use)
        assert key_stream.key_stream(key, 3, 64, cipher) in streams


@pytest.mark.parametrize(
    ("scheme", "architecture"),
    [
        ("sign", "vgg"),
        ("permute", "vgg"),
        pytest.param("sign", "resnet", marks=pytest.mark.full),
        pytest.param("permute", "resnet", marks=pytest.mark.full),
        pytest.param("sign", "reactnet", marks=pytest.mark.full),
        ("permute", "reactnet"),
    ],
)
def test_a_network_computes_with_the_keyed_kernels(scheme: str, architecture: str) -> None:
    built = network(scheme, architecture)
    image = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 1), np.uint8)
    assert np.isnan(built.models["grey"](image).numpy()).all()
    built.set_secrets({"grey": SECRETS["grey"]}, MODEL)
    assert not np.isnan(built.models["grey"](image).numpy()).any()
    key = key_stream.stream_key(SECRETS["grey"], MODEL)
    for number, layer in built.shared.items():
        stored = np.where(layer.latent_kernel.numpy() >= 0, 1, -1).astype(np.float32)
        wanted = expected_kernel(scheme, stored, key, number)
        np.testing.assert_array_equal(layer.task_kernel("grey"), wanted)
        assert np.isnan(layer.task_kernel("colour").numpy()).all()


@pytest.mark.parametrize("scheme", ["xor", "sign", "permute"])
def test_a_wrong_secret_gives_other_kernels_and_the_right_one_the_first(scheme: str) -> None:
    built = network(scheme)
    built.set_secrets(SECRETS, MODEL)
    right = {n: layer.task_kernel("grey").numpy() for n, layer in built.shared.items()}
    for secret, model in ((b"\4" * 32, MODEL), (SECRETS["grey"], b"\4" * 16)):
        built.set_secrets({"grey": secret}, model)
        for number, layer in built.shared.items():
            agreement = np.mean(layer.task_kernel("grey").numpy() == right[number])
            assert 0.3 < agreement < 0.7, f"layer {number}"
    built.set_secrets(SECRETS, MODEL)
    for number, layer in built.shared.items():
        np.testing.assert_array_equal(layer.task_kernel("grey"), right[number])


def test_tasks_and_layers_of_equal_shape_have_different_keys() -> None:
    grey, colour = (key_stream.stream_key(secret, MODEL) for secret in SECRETS.values())
    orders = {
        tuple(order.tolist())
        for key in (grey, colour)
        for layer in (1, 2)
        for one in [channel_orders(key, layer, 32, 32, Cipher.CHACHA20)]
        for order in (one.inputs, one.outputs)
    }
    assert len(orders) == 8
    signs = {
        pair_signs(key, layer, 8, 8, Cipher.CHACHA20).tobytes()
        for key in (grey, colour)
        for layer in (1, 2)
    }
    assert len(signs) == 4


def test_sign_is_the_same_for_all_taps_and_no_two_kernels() -> None:
    built = network("sign")
    built.set_secrets(SECRETS, MODEL)
    for number in (0, 1):
        layer = built.shared[number]
        stored = np.where(layer.latent_kernel.numpy() >= 0, 1, -1)
        factors = layer.task_kernel("grey").numpy() * stored
        np.testing.assert_array_equal(factors, np.broadcast_to(factors[:1, :1], factors.shape))
        assert 0.3 < np.mean(factors[0, 0] > 0) < 0.7


@given(
    st.sampled_from(["sign", "permute"]),
    st.sampled_from([(3, 3, 4, 6), (1, 1, 2, 3), (5, 2), (1, 1), (3, 3, 3, 1)]),
    st.binary(min_size=32, max_size=32),
)
@settings(max_examples=40, deadline=None)
def test_gradient_reaches_the_stored_weight_that_was_used(
    scheme: str, shape: tuple[int, ...], key: bytes
) -> None:
    generator = np.random.default_rng(len(shape))
    latent = tf.Variable(generator.uniform(-1.5, 1.5, shape).astype(np.float32))
    upstream = {task: generator.normal(size=shape).astype(np.float32) for task in ("one", "two")}
    keys = {"one": key, "two": key[::-1]}
    quantizer = KeyedSign(("one", "two"), scheme)
    quantizer.build(shape)
    draw = pair_signs if scheme == "sign" else channel_orders
    layer_keys = {
        task: draw(own, 3, shape[-2], shape[-1], Cipher.CHACHA20) for task, own in keys.items()
    }
    for task, layer_key in layer_keys.items():
        quantizer.set_key(task, layer_key)
    loss = 0.0
    with tf.GradientTape() as tape:
        for task in keys:
            with quantizer.using(task):
                loss += tf.reduce_sum(quantizer(latent) * upstream[task])
    gradient = tape.gradient(loss, latent).numpy()

    expected = np.zeros(shape)
    for task, one in layer_keys.items():
        for i, o in np.ndindex(*shape[-2:]):
            if isinstance(one, ChannelOrders):
                expected[..., one.inputs[i], one.outputs[o]] += upstream[task][..., i, o]
            else:
                expected[..., i, o] += upstream[task][..., i, o] * (-1 if one[i, o] else 1)
    expected *= np.abs(latent.numpy()) <= 1
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


def test_a_network_without_keys_takes_no_secrets() -> None:
    with pytest.raises(ValueError, match="none takes no secrets"):
        network("none").set_secrets(SECRETS, MODEL)


@pytest.mark.parametrize("scheme", ["sign", "permute"])
def test_keys_are_not_among_the_weights(scheme: str) -> None:
    built, none = network(scheme), network("none")
    for name, model in built.models.items():
        assert [w.shape for w in model.weights] == [w.shape for w in none.models[name].weights]


def test_first_values_keep_their_size_and_take_signs_that_need_every_secret() -> None:
    plain, turned, other = (network("xor") for _ in range(3))
    turned.turn_first_values(SECRETS.values(), MODEL)
    other.turn_first_values([SECRETS["grey"], b"\5" * 32], MODEL)
    for number, layer in plain.shared.items():
        first = layer.latent_kernel.numpy()
        signs = turned.shared[number].latent_kernel.numpy() / first
        others = other.shared[number].latent_kernel.numpy() / first
        np.testing.assert_array_equal(np.abs(signs), 1)
        assert 0.3 < np.mean(signs > 0) < 0.7
        assert 0.3 < np.mean(signs == others) < 0.7
    again = network("xor")
    again.turn_first_values(reversed(SECRETS.values()), MODEL)
    for number, layer in again.shared.items():
        np.testing.assert_array_equal(layer.latent_kernel, turned.shared[number].latent_kernel)
