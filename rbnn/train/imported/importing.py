"""``rbnn import``: a trained Keras model becomes a run of one task."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.nets.framework import tf
from rbnn.nets.own.stored import StoredNetwork
from rbnn.runs.config import ImportedModel, RunConfig
from rbnn.runs.figures import EpochFigures, TaskFigures
from rbnn.runs.run import Run, new_run
from rbnn.runs.settings import CipherName, Settings
from rbnn.runs.start import describe, write_run
from rbnn.spec.key_stream import MODEL_ID_BYTES, SECRET_BYTES
from rbnn.spec.layout import Adapter
from rbnn.tasks import Split, TaskData
from rbnn.tasks.form import USUAL, Form, check_input
from rbnn.train.evaluate import predict_logits, some
from rbnn.train.float_model import PIXELS, load_keras
from rbnn.train.imported.convert import Converted, convert
from rbnn.train.imported.magnify import magnification
from rbnn.train.imported.nodes import Affine, ModelImportError, Notes
from rbnn.train.imported.read import ADMITTED, read_model
from rbnn.train.transfer import build_network, read_parameters

BATCH = 250
EXAMINED_SAMPLES = 500
"""Training samples, evenly spaced, by which the range of pixels is found."""
FEW = 0.99
"""Share of samples with the same class below which a note says so."""

Floats = npt.NDArray[np.float32]


class ImportResult(Frozen):
    """What an import gave. Accuracies and the agreement are of the test set, shares of 1; ``scale``
    and ``offset`` lead from pixels of 0 to 255 to what the model takes."""

    run: str
    task: str
    model: str
    scale: float
    offset: float
    bits: int
    samples: int
    accuracy: float
    keras_accuracy: float
    agreement: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Wishes:
    """What the user may choose.

    Args:
        scale: by which the model's pixels are multiplied; None to find the range.
        offset: added to them then.
        cipher: of the key stream.
    """

    scale: float | None = None
    offset: float | None = None
    cipher: CipherName = "chacha20"


def import_model(
    root: Path,
    path: Path,
    task: TaskData,
    wishes: Wishes,
    say: Callable[[str], None],
    model: Any = None,
) -> ImportResult:
    """Convert a model into a run folder, and compare both on the task's test set.

    Args:
        root: folder of all runs.
        path: of the model.
        task: what it was trained for.
        wishes: the user's.
        say: told of each step.
        model: the file's, opened; by default it is opened here.

    Raises:
        RbnnError: no model, one of another task, or the first layer that does not fit the device.
    """
    model = open_model(path) if model is None else model
    _check(model, path, task)
    channels = int(model.input_shape[3])
    notes = Notes()
    scale, offset = _find_pixels(model, task, wishes, notes, say)
    pixels = Affine(np.full(channels, scale), np.full(channels, offset))
    try:
        shape = tuple(int(side) for side in model.input_shape[1:])
        last = read_model(model, pixels, notes)
        given = model_input(model, some(task.train, EXAMINED_SAMPLES).images, scale, offset)
        larger = magnification(model, last, given)
        converted = convert(last, network_name(path), shape, notes, larger)  # type: ignore[arg-type]
    except RbnnError as error:
        raise ModelImportError(f"{path.name}: {error.what}", error.fix) from error
    config = _config(path, task, converted, wishes)
    run = new_run(root, [task.name], date.today())
    try:
        return _write(run, config, converted, model, task, (scale, offset), notes)
    except BaseException:
        shutil.rmtree(run.folder, ignore_errors=True)  # made above, of no use
        raise


def network_name(path: Path) -> str:
    """The network's name in the container: that of the file, as far as it may be used."""
    found = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip("-_.")[:15]
    return found or "imported"


def open_model(path: Path) -> Any:
    """The model in a file.

    Raises:
        RbnnError: there is none that can be imported.
    """
    if not path.is_file():
        raise ModelImportError(f"There is no model {path}.", "Name a .h5 or .keras file.")
    model = load_keras(path, admitted=ADMITTED)
    graph = isinstance(model, tf.keras.Model) and getattr(model, "_nodes_by_depth", None)
    if not graph or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelImportError(
            f"{path.name} is no functional or sequential model of Keras 2 with one input and one "
            "output.",
            "Larq works with Keras 2: build the model with tf_keras, and save it whole.",
        )
    return model


def form_of(model: Any) -> Form:
    """What samples become for a model: pictures of its size.

    Raises:
        TaskError: no container has such an input.
    """
    shape = tuple(model.input_shape[1:])
    if len(shape) != 3 or None in shape or shape == (*USUAL, 3):
        return Form()  # the usual, or refused for another reason
    check_input(shape)
    return Form(*shape)


def _check(model: Any, path: Path, task: TaskData) -> None:
    """Refuse a model of other pictures or classes than the task's."""
    given = tuple(model.input_shape[1:])
    wanted = task.train.images.shape[1:]
    fits = len(given) == 3 and given[:2] == wanted[:2] and given[2] in (wanted[2], 3)
    if not fits or (given[2] == 1 and task.channels > 1):
        raise ModelImportError(
            f"{path.name} takes {'x'.join(map(str, given))}; the samples of task {task.name} are "
            f"{'x'.join(map(str, wanted))}.",
            "Name the data that the model was trained for; rbnn's samples have 1 or 3 channels.",
        )
    classes = int(model.output_shape[-1])
    if len(model.output_shape) != 2 or classes != len(task.labels):
        raise ModelImportError(
            f"{path.name} has {classes} outputs; task {task.name} has {len(task.labels)} classes: "
            f"{', '.join(task.labels)}.",
            "Name the data that the model was trained for; its outputs are in this order.",
        )


def keras_outputs(model: Any, images: npt.NDArray[np.uint8], scale: float, offset: float) -> Floats:
    """What the model answers to pictures of 0 to 255, (n, classes)."""
    parts = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    given = (model_input(model, part, scale, offset) for part in parts)
    return np.concatenate([np.asarray(model(one, training=False), np.float32) for one in given])


def model_input(model: Any, images: npt.NDArray[np.uint8], scale: float, offset: float) -> Any:
    """What the model takes for pictures of 0 to 255."""
    values = tf.cast(images, tf.float32)
    if values.shape[3] < model.input_shape[3]:
        values = tf.repeat(values, model.input_shape[3], axis=3)
    return values * scale + offset


def _find_pixels(
    model: Any, task: TaskData, wishes: Wishes, notes: Notes, say: Callable[[str], None]
) -> tuple[float, float]:
    """The range of the model's pixels: the user's, or the one that explains the labels best."""
    if wishes.scale is not None or wishes.offset is not None:
        return wishes.scale if wishes.scale is not None else 1.0, wishes.offset or 0.0
    sample = some(task.train, EXAMINED_SAMPLES)
    shares = {
        name: _share(keras_outputs(model, sample.images, *values), sample)
        for name, values in PIXELS.items()
    }
    best = max(shares, key=lambda name: shares[name])
    chance = float(np.bincount(sample.labels).max() / len(sample))
    if shares[best] <= chance:
        notes.add(
            f"In no range of pixels the model is better than guessing on training samples "
            f"({shares[best]:.1%}): name its range with --scale and --offset, and check the order "
            "of its classes."
        )
    say(f"Pixels {best}: {shares[best]:.1%} of {len(sample)} training samples.")
    return PIXELS[best]


def _share(outputs: Floats, split: Split) -> float:
    return float(np.mean(outputs.argmax(axis=1) == split.labels))


def _config(path: Path, task: TaskData, converted: Converted, wishes: Wishes) -> RunConfig:
    settings = Settings(architecture=converted.topology.architecture, cipher=wishes.cipher)
    shape = converted.topology.input_shape
    channels = shape[2]
    entry = describe(task, channels, settings.batch)
    replicated = task.channels < channels
    entry = entry.model_copy(
        update={
            "offsets": converted.offsets,
            "adapter": Adapter.REPLICATE if replicated else Adapter.IDENTITY,
        }
    )
    first, last = converted.topology.layers[0], converted.topology.layers[-1]
    return RunConfig.model_validate(
        {
            **settings.model_dump(),
            "precision": "float32",
            "stem_bits": 8 if first.op.own_weights else 1,
            "classifier_bits": 8 if last.op.own_weights else 1,
            "tasks": (entry,),
            "input_shape": shape,
            "input": None if shape == (*USUAL, 3) else "x".join(map(str, shape)),
            "model_id": os.urandom(MODEL_ID_BYTES).hex(),
            "network": StoredNetwork.of(converted.binary, path.name),
            "imported": ImportedModel(
                file=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest()
            ),
        }
    )


def _write(
    run: Run,
    config: RunConfig,
    converted: Converted,
    model: Any,
    task: TaskData,
    pixels: tuple[float, float],
    notes: Notes,
) -> ImportResult:
    """Write the run, its bits masked with a fresh secret, and compare it with the model."""
    secrets = {task.name: os.urandom(SECRET_BYTES)}
    write_run(run, config, secrets)
    network = build_network(config)
    network.set_secrets(secrets, bytes.fromhex(config.model_id))
    for number, kernel in converted.kernels.items():
        shared = network.shared[number]
        values = tf.constant(kernel.reshape(shared.latent_kernel.shape), tf.float32)
        shared.latent_kernel.assign(shared.kernel_quantizer.stored(values, task.name))
    own = network.own[task.name]
    for number, norm in own.norms.items():
        values = converted.normalisations[number]
        if norm.gamma is not None:
            norm.gamma.assign(values.gamma)
        norm.beta.assign(values.beta)
        norm.moving_mean.assign(values.mean)
        norm.moving_variance.assign(values.variance)
    for number, layer in own.kernels.items():
        eight = converted.weights[number]
        layer.write(eight.weights.reshape(layer.shape), eight.steps)
    read_parameters(network).save(run.parameters_file)

    sample = some(task.train, EXAMINED_SAMPLES)
    logits = predict_logits(network, task.name, sample.images)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(sample.labels, logits)
    found = predict_logits(network, task.name, task.test.images).argmax(axis=1)
    theirs = keras_outputs(model, task.test.images, *pixels).argmax(axis=1)
    accuracy = float(np.mean(found == task.test.labels))
    agreement = float(np.mean(found == theirs))
    figures = TaskFigures(float(tf.reduce_mean(losses)), _share(logits, sample), accuracy)
    _record(run, EpochFigures(1, 0, 0.0, 0.0, {task.name: figures}))
    if agreement < FEW:
        notes.add(
            f"Model and run find the same class in only {agreement:.2%} of the test samples; "
            "docs/own-networks.md says what can differ."
        )
    return ImportResult(
        run=str(run.folder),
        task=task.name,
        model=str(config.network.file if config.network else ""),
        scale=pixels[0],
        offset=pixels[1],
        bits=converted.topology.bits,
        samples=len(task.test),
        accuracy=accuracy,
        keras_accuracy=float(np.mean(theirs == task.test.labels)),
        agreement=agreement,
        notes=tuple(notes.lines),
    )


def _record(run: Run, figures: EpochFigures) -> None:
    """The run's accuracy, where training leaves it."""
    epochs: Sequence[dict[str, Any]] = [asdict(figures)]
    write_atomic(run.metrics_file, json.dumps({"epochs": epochs}, indent=2) + "\n")
