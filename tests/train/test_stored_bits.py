"""The stored bits of trained runs: uniform, and unrelated to networks, seed and other runs.

Each run has the same seed and data and fresh secrets. If what ARCHITECTURE.md says under
"Reconfiguration" holds, then over the secrets P is uniform and independent of every network, so
that each count below is that of fair coins, whatever is trained. Each figure has a two-sided test
at ``FALSE_ALARM``; with the three runs' 18 figures a sound trainer fails once in 50,000 choices of
secrets, and those here are fixed. P has 100,000 bits or more: 1 % of agreement beyond chance is
noticed.

Source of monobit and runs test: NIST SP 800-22 rev. 1a, sections 2.1 and 2.3.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from tiny_tasks import eagerly

from rbnn.nets.build import SharedNetwork
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.spec.key_stream import kernel_mask, stream_key
from rbnn.spec.packing import Bits
from rbnn.tasks import TaskData
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import build_network

FALSE_ALARM = 1e-6
RUNS = 3


def fresh(number: int, what: str, length: int) -> bytes:
    name = f"TEST-ONLY run {number} {what}".encode()
    return hashlib.blake2b(name, digest_size=length).digest()


def train(folder: Path, data: list[TaskData], number: int) -> Run:
    """A run of two steps with its own secrets and model id."""
    settings = Settings(width=32, depth=3, batch=10, steps=2, seed=5)
    secrets = {task.name: fresh(number, task.name, 32) for task in data}
    model_id = fresh(number, "model", 16)
    run = start_run(folder, data, settings, secrets=secrets, model_id=model_id)
    with eagerly():
        Trainer(run, data).fit()
    return run


def stored_bits(run: Run) -> Bits:
    """P of all layers, in Keras' order."""
    kernels = ModelParameters.load(run.parameters_file).kernels
    return np.concatenate([kernels[number].ravel() >= 0 for number in sorted(kernels)])


def weights(run: Run, task: str) -> Bits:
    """The task's network: P xor its key stream."""
    config = run.config()
    masks = [
        kernel_mask(
            stream_key(run.secrets()[task], bytes.fromhex(config.model_id)),
            number,
            layer.kernel_shape,
            layer.packing,
            config.key_cipher,
        ).ravel()
        for number, layer in enumerate(config.topology().layers)
        if layer.bits
    ]
    return np.asarray(stored_bits(run) ^ np.concatenate(masks), np.bool_)


def seed_bits(run: Run) -> Bits:
    """Signs of the first values as they follow from the seed, which anybody may know."""
    shared = build_network(run.config()).shared
    first = [shared[number].latent_kernel.numpy().ravel() for number in sorted(shared)]
    return np.asarray(np.concatenate(first) >= 0, np.bool_)


def monobit(bits: Bits) -> float:
    """p-value of the count of ones."""
    count = len(bits)
    return math.erfc(abs(2 * int(bits.sum()) - count) / math.sqrt(2 * count))


def runs_test(bits: Bits) -> float:
    """p-value of how often a bit differs from the one before it."""
    count, ones = len(bits), float(bits.mean())
    spread = 2 * ones * (1 - ones)
    changes = 1 + int((bits[1:] != bits[:-1]).sum())
    return math.erfc(abs(changes - count * spread) / (math.sqrt(2 * count) * spread))


def agreement(one: Bits, other: Bits) -> float:
    """p-value of how many bits are the same."""
    return monobit(one ^ other)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data: list[TaskData]) -> list[Run]:
    folder = tmp_path_factory.mktemp("stored")
    return [train(folder / str(number), data, number) for number in range(RUNS)]


def test_stored_bits_are_fair_coins(runs: list[Run]) -> None:
    for run in runs:
        bits = stored_bits(run)
        assert len(bits) > 100_000
        assert monobit(bits) > FALSE_ALARM
        assert runs_test(bits) > FALSE_ALARM


def test_stored_bits_are_unrelated_to_every_network(runs: list[Run], data: list[TaskData]) -> None:
    for run in runs:
        for task in data:
            assert agreement(stored_bits(run), weights(run, task.name)) > FALSE_ALARM


def test_stored_bits_are_unrelated_to_the_seed_and_to_other_runs(runs: list[Run]) -> None:
    for run in runs:
        assert agreement(stored_bits(run), seed_bits(run)) > FALSE_ALARM
    for one, other in itertools.combinations(runs, 2):
        assert agreement(stored_bits(one), stored_bits(other)) > FALSE_ALARM


def test_without_secret_first_signs_the_seed_would_show(
    tmp_path: Path, data: list[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedNetwork, "turn_first_values", lambda *_: None)
    run = train(tmp_path, data, 0)
    assert agreement(stored_bits(run), seed_bits(run)) < FALSE_ALARM
    assert agreement(stored_bits(run), weights(run, "colour")) > FALSE_ALARM


def test_the_statistics_notice_what_is_not_fair() -> None:
    fair = np.random.default_rng(3).random(100_000) < 0.5
    assert min(monobit(fair), runs_test(fair)) > FALSE_ALARM
    assert monobit(np.random.default_rng(4).random(100_000) < 0.51) < FALSE_ALARM
    assert runs_test(np.sort(fair)) < FALSE_ALARM
    assert agreement(fair, fair) < FALSE_ALARM
