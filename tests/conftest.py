"""What tests of several rooms need: a trained-looking run without training, and its export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.export.export import NO_PROVIDER, Export, export_run
from rbnn.nets import vgg
from rbnn.spec.layout import Adapter
from rbnn.train.parameters import ModelParameters, Normalisation
from rbnn.train.run import Run, RunConfig, RunTask


@dataclass(frozen=True)
class RandomExport:
    """A run with random parameters, exported; ``images`` by task name, uint8 (n, 32, 32, c)."""

    run: Run
    export: Export
    secrets: dict[str, bytes]
    images: dict[str, npt.NDArray[np.uint8]]


def _random_norm(
    rng: np.random.Generator, channels: int, spread: float, logits: bool
) -> Normalisation:
    return Normalisation(
        gamma=(rng.uniform(0.5, 2, channels) if logits else np.ones(channels)).astype(np.float32),
        beta=rng.normal(0, 0.5, channels).astype(np.float32),
        mean=rng.normal(0, spread / 4, channels).astype(np.float32),
        variance=(spread**2 * rng.uniform(0.5, 2, channels)).astype(np.float32),
        epsilon=1e-3,
    )


def make_random_run(
    folder: Path,
    *,
    seed: int = 1,
    width: int = 32,
    tasks: tuple[tuple[str, int, int], ...] = (("colour", 10, 3), ("grey", 4, 1)),
) -> Run:
    """Write a run folder as training would, with random values.

    Args:
        folder: where.
        seed: of everything random.
        width: of the VGG-like network.
        tasks: name, classes and channels of each.
    """
    rng = np.random.default_rng(seed)
    config = RunConfig(
        tasks=tuple(
            RunTask(
                name=name,
                labels=tuple(f"{name}-{k}" for k in range(classes)),
                input_channels=channels,
                adapter=Adapter.IDENTITY if channels == 3 else Adapter.REPLICATE,
                offsets=(120, 128, 130) if channels == 3 else (100, 100, 100),
                source=name,
            )
            for name, classes, channels in tasks
        ),
        architecture="vgg",
        width=width,
        input_shape=(32, 32, 3),
        scheme="xor",
        model_id=rng.bytes(16).hex(),
        seed=seed,
        epochs=1,
        batch=1,
        learning_rate=0.01,
    )
    layers = vgg.topology(config.input_shape, config.max_classes, width).layers
    kernels = {
        number: rng.normal(0, 1, layer.kernel_shape).astype(np.float32)
        for number, layer in enumerate(layers)
        if layer.bits
    }
    norms = {
        name: {
            number: _random_norm(
                rng,
                layers[number].out_shape[2],
                float(np.sqrt(np.prod(kernel.shape[:-1]))) * (70 if number == 0 else 1),
                number == len(layers) - 1,
            )
            for number, kernel in kernels.items()
        }
        for name, _, _ in tasks
    }
    run = Run(folder)
    run.write_config(config)
    run.write_secrets({name: rng.bytes(32) for name, _, _ in tasks})
    ModelParameters(kernels, norms).save(run.parameters_file)
    return run


@pytest.fixture(scope="session")
def random_export(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RandomExport]:
    """Call it as ``random_export(folder, seed=..., width=..., tasks=..., provider_public=...)``;
    all of them are optional, see :func:`make_random_run`."""

    def make(
        folder: Path | None = None, *, provider_public: bytes = NO_PROVIDER, **settings: object
    ) -> RandomExport:
        where = tmp_path_factory.mktemp("run") if folder is None else folder
        run = make_random_run(where, **settings)  # type: ignore[arg-type]
        rng = np.random.default_rng(2)
        images = {
            task.name: rng.integers(0, 256, (20, 32, 32, task.input_channels), dtype=np.uint8)
            for task in run.config().tasks
        }
        export = export_run(run, provider_public, samples=images)
        return RandomExport(run, export, run.secrets(), images)

    return make
