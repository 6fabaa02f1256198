"""Computes the cells of an attack on keys."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.runs.run import Run
from rbnn.tasks import Split, TaskData
from rbnn.theft.attacks.attack import Attack
from rbnn.theft.attacks.climb import climb
from rbnn.theft.attacks.forced import ForcedEngine
from rbnn.theft.attacks.genetic import search, unknown_bits
from rbnn.theft.attacks.layers import Masks, StoredLayers, flat_bits
from rbnn.theft.attacks.plan import (
    AttackCell,
    AttackExperiment,
    ClimbResult,
    Ground,
    KeyKind,
    LayerCounts,
    LayerPrediction,
    OracleResult,
    SearchResult,
)
from rbnn.theft.attacks.predict import PERIODS, LayerBits, predict_layer
from rbnn.theft.subset import share_of
from rbnn.train.evaluate import chance_of


class KeyThief:
    """Attacks the keys of one run.

    Args:
        run: the attacked run, trained.
        data: its tasks, at least those that are attacked and the thief's.
        experiment: what the cells have in common.
        folder: of the experiment.

    Raises:
        RbnnError: the run cannot be read.
    """

    def __init__(
        self, run: Run, data: Sequence[TaskData], experiment: AttackExperiment, folder: Path
    ) -> None:
        self._run = run
        self._data = {task.name: task for task in data}
        self._experiment = experiment
        self._folder = folder
        self._layers = StoredLayers.of(run)

    def ask(self, victim: str, other: str, seed: int) -> OracleResult:
        """The oracle attack on ``victim`` with a licence for ``other``; writes its result.

        Raises:
            RbnnError: it cannot be written, or there is no C compiler.
        """
        layers = self._layers
        own = [number for number in layers.stored if number >= layers.trunk_layers]
        licence = layers.streams(other)
        streams: dict[KeyKind, dict[int, bytes]] = {
            "stream": layers.streams(victim),
            "sign": layers.sign_streams(victim),
            "short": layers.short_streams(victim),
        }
        rows = []
        for key, wanted in streams.items():
            for number in own:
                shape = layers.stored[number].shape
                if key == "sign" and np.prod(shape[:-2]) == 1:
                    continue  # one tap: nothing repeats
                pair = int(np.prod(shape[-2:]))
                views = {
                    "in the order of the kernel": LayerBits(
                        layers.stored[number].reshape(-1),
                        layers.unpacked(number, licence[number]).reshape(-1),
                        layers.unpacked(number, wanted[number]).reshape(-1),
                        np.ones(layers.stored[number].size, np.bool_),
                        (pair,),
                    ),
                    "in the order of the stream": LayerBits(
                        flat_bits(layers.packed(number, layers.stored[number])),
                        flat_bits(licence[number]),
                        flat_bits(wanted[number]),
                        flat_bits(layers.packed(number, np.ones(shape, np.bool_))),
                        PERIODS,
                    ),
                }
                found = predict_layer(views, zlib.crc32(f"{victim} {seed} {number}".encode()))
                rows.append(LayerPrediction(key=key, layer=number, **vars(found)))
        last = own[-1]
        climbed = climb(
            ForcedEngine(self._run, layers, other),
            last,
            layers.unpacked(last, licence[last]),
            layers.masks(victim)[last],
            self._data[other].test.images,
            self._outputs(last, other),
            self._experiment.queries,
            (seed, zlib.crc32(victim.encode())),
        )
        result = OracleResult(
            victim=victim, other=other, seed=seed, trunk=len(layers.stored) - len(own),
            layers=tuple(rows), climb=ClimbResult(**vars(climbed)),
            counts=tuple(self._counts(number, victim, other) for number in own),
        )  # fmt: skip
        result.save(self._folder)
        return result

    def _counts(self, number: int, victim: str, other: str) -> LayerCounts:
        """How even a layer's bits are."""
        stored = self._layers.stored[number]
        key, licence = (self._layers.masks(task)[number] for task in (victim, other))
        return LayerCounts(
            layer=number,
            bits=stored.size,
            stored=int(stored.sum()),
            key=int(key.sum()),
            weights=int((stored ^ key).sum()),
            alike=int((key == licence).sum()),
        )

    def _outputs(self, number: int, task: str) -> int:
        """How many filters of a layer ``task`` uses: in the last one, its classes."""
        filters = self._layers.stored[number].shape[-1]
        is_last = self._layers.network.topology.layers[number].op.is_last
        return len(self._data[task].labels) if is_last else filters

    def compute(self, cell: AttackCell) -> SearchResult:
        """A cell of the genetic or the gradient attack; writes its result.

        Raises:
            RbnnError: a file cannot be read or written; the user interrupted.
        """
        if self._experiment.attack is Attack.GENETIC:
            return self._breed(cell)
        # TensorFlow is needed only here.
        from rbnn.theft.attacks.gradient import train_mask

        whole = self._data[cell.victim]
        return train_mask(self._layers, self._experiment, cell, whole, self._folder)

    def _breed(self, cell: AttackCell) -> SearchResult:
        begun = time.monotonic()
        layers, whole = self._layers, self._data[cell.victim]
        data = share_of(whole, cell.share, cell.seed)
        engine = ForcedEngine(self._run, layers, cell.victim)
        right = layers.masks(cell.victim)
        start = (cell.seed, zlib.crc32(cell.victim.encode()), 7)
        generator = np.random.default_rng(start)
        if cell.ground is Ground.KNOWN:
            outputs = self._outputs(max(right), cell.victim)
            unknown = unknown_bits(right, outputs, self._experiment.unknown, generator)
        else:
            own = layers.trunk_layers
            unknown = {n: np.full(bits.shape, n >= own) for n, bits in right.items()}
        change = _change(layers, cell, unknown)

        def keyed(masks: Masks) -> Masks:
            return {number: mask ^ change[number] for number, mask in masks.items()}

        found = search(
            right,
            unknown,
            lambda masks: fitness(engine.logits(keyed(masks), data.train.images), data.train),
            self._experiment.queries,
            generator,
        )
        first, best = (
            float((engine.logits(keyed(one), whole.test.images).argmax(1)
                   == whole.test.labels).mean())
            for one in (found.first, found.best)
        )  # fmt: skip
        counted = cell.ground is not Ground.RANDOM
        result = SearchResult(
            **cell.model_dump(),
            samples=len(data.train),
            seconds=time.monotonic() - begun,
            first_accuracy=first,
            test_accuracy=best,
            chance=chance_of(whole.test, len(whole.labels)).high,
            unknown_bits=sum(int(one.sum()) for one in unknown.values()) if counted else 0,
            right_bits=sum(
                int((found.best[n] == right[n])[own].sum()) for n, own in unknown.items()
            )
            if counted
            else 0,
        )
        result.save(self._folder)
        return result


def _change(layers: StoredLayers, cell: AttackCell, unknown: Masks) -> Masks:
    """What puts random bits in the place of P, where the key is unknown."""
    generator = np.random.default_rng((cell.seed, zlib.crc32(cell.victim.encode()), 8))
    return {
        number: (generator.integers(0, 2, stored.shape).astype(np.bool_) ^ stored)
        & unknown[number]
        & (cell.ground is Ground.RANDOM)
        for number, stored in layers.stored.items()
    }


def fitness(logits: npt.NDArray[np.float64], split: Split) -> float:
    """Accuracy; equal ones are told apart by the mean probability of the right class."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    right = shifted[np.arange(len(split)), split.labels] / shifted.sum(axis=1)
    hits = float((logits.argmax(axis=1) == split.labels).sum())
    return (hits + float(right.mean()) * 0.99) / len(split)
