"""Gradient descent on a relaxed key stream, on top of fixed bits.

Source: Bengio, Léonard and Courville, "Estimating or propagating gradients through stochastic
neurons", 2013 (straight-through); Ramanujan et al., "What's hidden in a randomly weighted neural
network?", CVPR 2020 (masks trained over fixed weights).

Threat: a thief has the stored bits P and a share of task C's training data. Each key bit is relaxed
to a value m in [-1, 1]; the weights are ``P * sign(m)``, and the gradient reaches m through the
sign. P stays fixed; m and the batch norms, which are sealed and so unknown, are trained. The same
with random bits in P's place shows what P is worth.

Cost: that of a fine-tuning of the same steps.
"""

from __future__ import annotations

import gc
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rbnn.nets.framework import tf
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingInterruptedError
from rbnn.runs.figures import read_figures
from rbnn.runs.parameters import Array
from rbnn.runs.run import Run
from rbnn.runs.start import describe
from rbnn.spec.packing import Bits
from rbnn.tasks import TaskData
from rbnn.theft.attacks.layers import StoredLayers
from rbnn.theft.attacks.plan import AttackCell, AttackExperiment, Ground, SearchResult
from rbnn.theft.starts import random_signs
from rbnn.theft.subset import share_of
from rbnn.train.evaluate import chance_of
from rbnn.train.progress import ProgressBars
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import read_parameters, write_parameters


def train_mask(
    layers: StoredLayers,
    experiment: AttackExperiment,
    cell: AttackCell,
    whole: TaskData,
    folder: Path,
) -> SearchResult:
    """Train the relaxed key of one cell, new or interrupted, and write its result.

    Args:
        layers: of the attacked run.
        experiment: what the cells have in common.
        cell: this one.
        whole: the victim's data.
        folder: of the experiment.

    Raises:
        TrainingInterruptedError: Ctrl-C; the next call continues where this one stopped.
        RbnnError: a file cannot be read or written.
    """
    data = share_of(whole, cell.share, cell.seed)
    name = f"{cell.victim}-{cell.share:g}-{cell.seed}-mask-{cell.ground.value}"
    own = Run(folder / "work" / name)
    if not own.config_file.exists():
        _begin(own, layers.config, experiment, data, cell.seed)
    with ProgressBars(name, [cell.victim], experiment.steps) as bars:
        trainer = Trainer(own, [data], bars)
        fresh = read_parameters(trainer.network)
        grounds = _grounds(layers, fresh.kernels, cell)
        for number, ground in grounds.items():
            trainer.network.shared[number].set_key(cell.victim, ground)
        right, known = _known(layers, grounds, experiment, cell)
        if trainer.steps == 0:
            start = {}
            for number, values in fresh.kernels.items():
                size = np.float32(
                    experiment.magnitude * np.sqrt(np.mean(np.square(values, dtype=np.float64)))
                )
                mask = random_signs({number: values}, f"{cell.victim} mask", cell.seed)[number]
                signs = np.where(known[number], np.where(right[number], -1, 1), mask)
                start[number] = np.minimum(size, np.float32(1)) * signs.astype(np.float32)
            write_parameters(
                trainer.network, type(fresh)(
                    start, fresh.normalisations, fresh.activations, fresh.signs, fresh.weights
                )
            )  # fmt: skip
        try:
            trainer.fit()
        except TrainingInterruptedError as error:
            raise TrainingInterruptedError(
                f"Stopped; everything so far is in {folder}.",
                "Continue with the same command.",
                exit_code=error.exit_code,
            ) from error
        found = read_parameters(trainer.network).kernels
    last = read_figures(own)[-1]
    unknown = {number: ~bits for number, bits in known.items()}
    counted = cell.ground is not Ground.RANDOM
    agree = sum(
        int(((found[n] < 0) == right[n])[own_unknown].sum()) for n, own_unknown in unknown.items()
    )
    result = SearchResult(
        **cell.model_dump(),
        samples=len(data.train),
        seconds=last.seconds,
        first_accuracy=None,
        test_accuracy=last.tasks[cell.victim].test_accuracy,
        chance=chance_of(whole.test, len(whole.labels)).high,
        unknown_bits=sum(int(one.sum()) for one in unknown.values()) if counted else 0,
        right_bits=agree if counted else 0,
    )
    result.save(folder)
    shutil.rmtree(own.folder, ignore_errors=True)
    # Each trainer traces its own graphs, which Keras would keep.
    del trainer
    tf.keras.backend.clear_session()
    gc.collect()
    return result


def _begin(
    own: Run, config: RunConfig, experiment: AttackExperiment, data: TaskData, seed: int
) -> None:
    """Write the cell's run folder. Its secret gives only the padding's key bits."""
    alone = config.single_task(data.name, experiment.steps)
    (entry,) = alone.tasks
    own.write_secrets({data.name: np.random.default_rng((seed, 5)).bytes(32)})
    own.write_config(
        alone.model_copy(
            update={
                "tasks": (describe(data, config.input_shape[2], entry.batch),),
                "scheme": "xor",
                "seed": seed,
                "learning_rate": experiment.learning_rate,
                "steps_per_epoch": experiment.steps,
            }
        )
    )


def _grounds(
    layers: StoredLayers, shapes: Mapping[int, Array], cell: AttackCell
) -> dict[int, Bits]:
    """True where the fixed bit is -1; in the last layer, only the victim's outputs."""
    drawn = random_signs(shapes, cell.victim, cell.seed)
    if cell.ground is Ground.RANDOM:
        return {number: signs < 0 for number, signs in drawn.items()}
    grounds = {}
    for number, signs in drawn.items():
        stored = layers.stored[number]
        grounds[number] = ~stored[..., : signs.shape[-1]]
    return grounds


def _known(
    layers: StoredLayers,
    grounds: Mapping[int, Bits],
    experiment: AttackExperiment,
    cell: AttackCell,
) -> tuple[dict[int, Bits], dict[int, Bits]]:
    """The victim's key, and which of its bits the thief knows."""
    share = experiment.known / 100 if cell.ground is Ground.KNOWN else 0.0
    generator = np.random.default_rng((cell.seed, zlib.crc32(cell.victim.encode()), 6))
    masks = layers.masks(cell.victim)
    right = {n: masks[n][..., : ground.shape[-1]] for n, ground in grounds.items()}
    return right, {n: generator.random(bits.shape) < share for n, bits in right.items()}
