"""From a run folder to an export folder.

::

    export/
        container.bin      the model container (SPEC.md)
        model_image.c      the same as a C array, for the firmware
        model_kernels.c    which kernels the model needs; model_features.h: which parts of them
        model_config.h     memory needs and the layer table, for build and reader
        golden.npz         golden vectors; private, like the manifest
        manifest.json      what all this is, with class names; written last
        ship/              what may leave the workstation, as a whole
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.container import params
from rbnn.container.build import build
from rbnn.container.container import Container, SealedTask
from rbnn.container.errors import ExportError
from rbnn.container.parse import parse
from rbnn.container.plan import plan
from rbnn.container.seal import seal
from rbnn.engine import golden
from rbnn.engine.reference import Reference
from rbnn.export.carray import CONFIG_FILE, FEATURES_FILE, IMAGE_FILE, KERNELS_FILE, write_c
from rbnn.export.fold import Trained, fold
from rbnn.export.manifest import Manifest, make_manifest, read_manifest, source_sha256
from rbnn.export.ship import write_ship
from rbnn.files import PRIVATE, write_atomic
from rbnn.nets.device_rules import describe
from rbnn.nets.padding import PaddedNetwork, pad
from rbnn.runs.config import RunConfig, RunTask
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.spec import key_stream, packing
from rbnn.spec.layout import Cipher
from rbnn.tasks import find_again
from rbnn.tasks.dataset import Images
from rbnn.tasks.load import load

NO_PROVIDER = bytes(32)
"""Provider key of an export for which no licence can be issued."""
Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""


@dataclass(frozen=True)
class Export:
    """An export folder on disk, read and checked.

    Args:
        folder: where it is.
        container: ``container.bin``.
        manifest: ``manifest.json``.
    """

    folder: Path
    container: Container
    manifest: Manifest

    @property
    def container_file(self) -> Path:
        """The container's file."""
        return self.folder / "container.bin"

    @property
    def golden_file(self) -> Path:
        """The golden vectors' file."""
        return self.folder / "golden.npz"

    @classmethod
    def read(cls, folder: Path) -> Export:
        """Read an export folder.

        Raises:
            RbnnError: something is missing or damaged, or files do not belong together.
        """
        manifest = read_manifest(folder / "manifest.json")
        path = folder / "container.bin"
        try:
            container = parse(path.read_bytes())
        except OSError as error:
            raise ExportError(
                f"Cannot read {path}: {error.strerror}.", "Export again: rbnn export RUN"
            ) from error
        if container.digest.hex() != manifest.model_digest:
            raise ExportError(
                f"{path} and its manifest do not belong together.", "Export again: rbnn export RUN"
            )
        return cls(folder, container, manifest)

    def is_current(self, run: Run, provider_public: bytes) -> bool:
        """Whether exporting ``run`` for this provider would give the same files.

        Raises:
            ExportError: the run's files cannot be read.
        """
        names = (IMAGE_FILE, KERNELS_FILE, FEATURES_FILE, CONFIG_FILE, self.golden_file.name)
        return (
            all((self.folder / name).is_file() for name in names)
            and self.manifest.provider_public == provider_public.hex()
            and self.manifest.source_sha256 == source_sha256(run)
            and self.container.benchmarks == run.config().all_benchmarks
        )


def export_run(
    run: Run,
    provider_public: bytes,
    out: Path | None = None,
    progress: Progress | None = None,
    *,
    samples: Mapping[str, npt.NDArray[np.uint8]] | None = None,
    check: Callable[[Container], object] | None = None,
) -> Export:
    """Export a run.

    Args:
        run: a run that has been trained for an epoch or more, scheme ``xor``.
        provider_public: X25519 public key of whoever will issue licences, 32 bytes;
            :data:`NO_PROVIDER` for none.
        out: folder to write, by default the run's own.
        progress: told what is being done.
        samples: images for the golden vectors by task name, (n, height, width, channels) uint8; by
            default the first ones of each task's test set.
        check: called with the container before anything is written; raises to refuse it.

    Raises:
        RbnnError: the run is incomplete, its network does not fit the format, the data for the
            golden vectors are missing, or ``out`` cannot be written.
    """
    config = run.config()
    require_device_scheme(config)
    source = source_sha256(run)
    secrets = run.secrets()
    container = make_container(
        config, ModelParameters.load(run.parameters_file), secrets, provider_public
    )
    if check is not None:
        check(container)
    vectors: dict[str, golden.Golden] = {}
    for number, task in enumerate(config.tasks):
        if progress is not None:
            progress(f"golden vectors of {task.name}", number, len(config.tasks))
        images = (_test_images(config, task, progress) if samples is None else samples[task.name])[
            : golden.SAMPLES
        ]
        outputs = Reference.open(container, number, secrets[task.name]).infer(images)
        vectors[task.name] = golden.Golden(images, golden.layer_crc32(outputs), outputs.logits)
    manifest = make_manifest(
        container,
        tuple(task.labels for task in config.tasks),
        tuple(len(vectors[task.name].images) for task in config.tasks),
        source,
    )
    result = Export(run.export_folder if out is None else out, container, manifest)
    write_atomic(result.container_file, container.data)
    write_c(container, result.folder)
    golden.save(result.golden_file, vectors)
    write_ship(container, manifest, result.folder)
    text = manifest.model_dump_json(indent=2) + "\n"
    write_atomic(result.folder / "manifest.json", text, mode=PRIVATE)
    return result


def require_device_scheme(config: RunConfig) -> None:
    """Refuse a network that exists for comparison and that no device computes.

    Raises:
        ExportError: the run's scheme is not ``xor``.
    """
    if config.scheme != "xor":
        raise ExportError(
            f"The run was trained with scheme {config.scheme!r}; devices only compute xor.",
            "Train it again with --scheme xor.",
        )


def make_container(
    config: RunConfig,
    parameters: ModelParameters,
    secrets: Mapping[str, bytes],
    provider_public: bytes,
) -> Container:
    """Fold, pack and seal a network.

    Args:
        config: the run's configuration.
        parameters: its trained values.
        secrets: task secrets S_t by task name, 32 bytes each.
        provider_public: 32 bytes.

    Raises:
        RbnnError: parts are missing or do not fit.
    """
    require_device_scheme(config)
    network = pad(config.topology())
    topology = network.topology
    layout = plan(topology)
    model_id = bytes.fromhex(config.model_id)
    weights = {
        number: _stored_bits(parameters, network, number)
        for number, layer in enumerate(topology.layers)
        if layer.bits
    }
    missing = [task.name for task in config.tasks if task.name not in secrets]
    if missing:
        raise ExportError(
            f"The run has no secret for task {missing[0]}.",
            "Restore secrets/secrets.json from your backup.",
        )
    trunk_layers = config.topology().trunk_layers(config.trunk)
    trunk_key = key_stream.NO_TRUNK
    if trunk_layers:
        trunk_key = key_stream.trunk_key([secrets[task.name] for task in config.tasks], model_id)
    tasks: list[SealedTask] = []
    for number, task in enumerate(config.tasks):
        own = key_stream.stream_key(secrets[task.name], model_id)
        keys = key_stream.StreamKeys(own, trunk_key, trunk_layers)
        groups = {
            n: fold(
                _trained(
                    task, parameters, network, n, weights.get(n), keys.of(n), config.key_cipher
                ),
                len(task.labels),
            )
            for n, layer in enumerate(topology.layers)
            if layer.op.has_weights
        }
        values = params.TaskParams(
            task.labels,
            task.adapter,
            task.input_channels,
            task.offsets,
            groups,
            trunk_key,
            None if task.series is None else task.series.series,
        )
        block = seal(params.encode(values, topology, layout), secrets[task.name], model_id, number)
        name, benchmark = task.name, config.benchmark(task.name)
        tasks.append(SealedTask(name, len(task.labels), block, task.front_end, benchmark))
    return build(
        topology, model_id, provider_public, weights, tasks, config.key_cipher, trunk_layers
    )


def _test_images(config: RunConfig, task: RunTask, progress: Progress | None) -> Images:
    form = config.form(task.name)
    return load(find_again(task.source), form=form, progress=progress).test.images


def _stored_bits(parameters: ModelParameters, network: PaddedNetwork, number: int) -> bytes:
    """P of a layer, packed."""
    layer, wanted = network.topology.layers[number], network.trained_shape(number)
    kernel = parameters.kernels.get(number)
    if kernel is None or kernel.shape != wanted:
        raise ExportError(
            f"{describe(layer, number)} needs a kernel of shape {wanted}. "
            f"Received: {None if kernel is None else kernel.shape}.",
            "Configuration and parameters come from different runs: train again.",
        )
    return packing.pack_kernel(network.embed(number, kernel >= 0), layer.packing)


def _trained(
    task: RunTask,
    parameters: ModelParameters,
    network: PaddedNetwork,
    number: int,
    stored: bytes | None,
    key: bytes,
    cipher: Cipher,
) -> Trained:
    """What a task trained for one layer, whose bits, if it has such, ``key`` reconfigures."""
    layer = network.topology.layers[number]
    inputs, outputs = network.inputs[number], network.outputs[number]
    where = f"Task {task.name}, {describe(layer, number).lower()}"
    norm = parameters.normalisations.get(task.name, {}).get(number)
    if norm is None:
        raise ExportError(f"{where} has no batch norm.", "Train again.")
    shares = np.zeros(len(outputs), np.int64)
    # Padding is 0 in a stream and +1 in bits.
    own = None if stored is not None else _own_weights(task, parameters, network, number, where)
    if stored is not None and len(inputs) < layer.kernel_shape[-2] and not layer.reads_stream:
        weights = key_stream.reconfigure(stored, key, number, cipher)
        kernel = packing.unpack_kernel(weights, layer.kernel_shape, layer.packing)
        shares = network.padding_sums(number, kernel)
    return Trained(
        where,
        layer,
        outputs,
        shares,
        norm,
        parameters.activations.get(task.name, {}).get(number),
        parameters.signs.get(task.name, {}).get(number),
        own,
    )


def _own_weights(
    task: RunTask, parameters: ModelParameters, network: PaddedNetwork, number: int, where: str
) -> npt.NDArray[np.int8]:
    """A task's 8-bit weights of a layer, in its padded shape; those of padding are zero."""
    found = parameters.weights.get(task.name, {}).get(number)
    wanted = network.trained_shape(number)
    if found is None or found.weights.shape != wanted:
        raise ExportError(
            f"{where} needs weights of shape {wanted}. "
            f"Received: {None if found is None else found.weights.shape}.",
            "Configuration and parameters come from different runs: train again.",
        )
    return network.embed(number, found.weights)
