"""What tests of several rooms need: a trained-looking run without training, and its export."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from postgres_server import place, postgres  # noqa: F401 (fixtures)
from random_parameters import random_parameters
from tiny_tasks import MODEL, SECRETS, eagerly, make_task

from rbnn.export.export import NO_PROVIDER, Export, export_run
from rbnn.nets.architectures import ARCHITECTURES
from rbnn.nets.topology import Shape
from rbnn.places import CACHE_VARIABLE, cache_folder, make_cache
from rbnn.runs.config import RunConfig, RunSeries, RunTask
from rbnn.runs.run import Run
from rbnn.runs.settings import CipherName, Settings
from rbnn.runs.start import start_run
from rbnn.spec.layout import Adapter, FrontEnd
from rbnn.spec.series import Series
from rbnn.tasks import TaskData

pytest_plugins = ["trust_rows"]

LONGEST = (
    "peers/test_peers_command.py",
    "train/test_distribution.py",
    "train/test_fused_training.py",
    "compare/test_compare_train.py",
    "firmware/test_ram_differences.py",
    "device/model/test_emulated_model.py",
    "train/test_trainer.py",
    "demo/test_demo.py",
    "firmware/test_emulated_cores.py",
    "theft/test_theft_command.py",
    "audit/test_trained_backdoor.py",
    "train/test_superpose.py",
    "device/test_board_deploy.py",
    "fuzz/test_fuzz.py",
    "cli/test_board_commands.py",
    "firmware/listening/test_emulated_listening.py",
    "image/test_platformio_build.py",
    "api/test_python_guide.py",
    "train/test_own_network_runs.py",
    "console/test_console_board.py",
    "keys/test_registry.py",
    "vectors/test_rbnn_vectors.py",
    "bench/test_train_speed.py",
    "core/test_core_warnings.py",
    "skips/test_skips.py",
    "firmware/test_same_trace.py",
    "theft/attacks/test_key_attacks.py",
    "train/test_float_teachers.py",
    "peers/test_peers_stopped.py",
    "train/imported/test_import_command.py",
    "nets/test_fused_network.py",
    "cli/test_secrets_stay_where_they_are.py",
    "library/test_library_on_cores.py",
    "firmware/test_emulated_boards.py",
    "device/test_board_power_ups.py",
    "firmware/partition/test_update_cuts.py",
    "audit/test_bench_audit.py",
    "image/test_unusual_builds.py",
    "device/test_input_shapes_on_boards.py",
    "bench/test_bench_session.py",
    "puf/test_constant_time.py",
    "train/test_what_may_leave.py",
    "train/test_float_network.py",
    "store/test_store.py",
    "installed/test_installed_package.py",
)
"""The files that take longest: a process that starts one of them last would end alone."""

TOGETHER = ("tests/console", "tests/installed", "tests/keys", "tests/vectors")
"""Folders whose files share a served board, the distributions, a database server, two running
computers."""

# How long an example takes says more about what else the machine does than about the code.
# `make test` tries the same examples every time; `make test-full` searches for new ones.
settings.register_profile("rbnn", deadline=None, derandomize=True)
settings.register_profile("rbnn-search", deadline=None)
settings.load_profile("rbnn")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Processes of ``make test``: one more than processors, for many tests wait for an emulator."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One process for a file, or for all files that share what takes long to make."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            folder = file.rpartition("/")[0]
            return folder if folder in TOGETHER else file

    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the tests marked full, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked full, unless it is asked for. If several processes divide the tests
    by file, start with those that take longest."""
    if not (config.getoption("--full") or config.getoption("--trust")):
        left_out = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
    if not hasattr(config, "workerinput"):
        return
    marks: dict[Path, set[str]] = defaultdict(set)
    for item in items:
        marks[item.path] |= {mark.name for mark in item.iter_markers()}

    def turn(item: pytest.Item) -> tuple[int, bool, bool]:
        file = str(item.path.relative_to(config.rootpath / "tests"))
        rank = LONGEST.index(file) if file in LONGEST else len(LONGEST)
        return rank, "slow" not in marks[item.path], "qemu" not in marks[item.path]

    items.sort(key=turn)


@dataclass(frozen=True)
class RandomExport:
    """A run with random parameters, exported; ``images`` by task, uint8, (20, side, side, c)."""

    run: Run
    export: Export
    secrets: dict[str, bytes]
    images: dict[str, npt.NDArray[np.uint8]]


def make_random_run(
    folder: Path,
    *,
    seed: int = 1,
    architecture: str = "vgg",
    width: int = 32,
    depth: int | None = None,
    cipher: CipherName = "chacha20",
    trunk: int = 0,
    ends: int = 1,
    side: int = 32,
    shape: Shape | None = None,
    stages: int | None = None,
    tasks: tuple[tuple[str, int, int], ...] = (("colour", 10, 3), ("grey", 4, 1)),
    sounds: tuple[str, ...] = (),
    series: Mapping[str, Series] | None = None,
) -> Run:
    """Write a run folder as training would, with random values.

    Args:
        folder: where.
        seed: of everything random.
        architecture: of ``rbnn.nets.architectures``.
        width: of the network.
        depth: of the network, by default the architecture's.
        cipher: of the key stream.
        trunk: how many layers have one key for all tasks.
        ends: bits of a weight in the first and last layer.
        side: of the images, pixels.
        shape: of the network's input, in place of a square of that side and three channels.
        stages: of the network, by default the architecture's.
        tasks: name, classes and channels of each.
        sounds: which of them take sound; their first class is background.
        series: of those of them that take windows of a sensor series, how these become inputs.
    """
    series = series or {}
    shape = shape or (side, side, 3)
    rng = np.random.default_rng(seed)
    offsets = (120, 128, 130, 125)[: shape[2]]
    config = RunConfig(
        tasks=tuple(
            RunTask(
                name=name,
                labels=tuple(
                    f"{'_' if name in sounds and not k else ''}{name}-{k}" for k in range(classes)
                ),
                input_channels=channels,
                adapter=Adapter.IDENTITY if channels == shape[2] else Adapter.REPLICATE,
                offsets=offsets if channels == shape[2] else (100,) * shape[2],
                source=name,
                front_end=FrontEnd.LOG_MEL
                if name in sounds
                else FrontEnd(FrontEnd.SERIES * (name in series)),
                series=RunSeries(**vars(series[name])) if name in series else None,
            )
            for name, classes, channels in tasks
        ),
        architecture=architecture,
        width=width,
        depth=ARCHITECTURES[architecture].depth if depth is None else depth,
        input_shape=shape,
        stages=stages,
        scheme="xor",
        cipher=cipher,
        trunk=trunk,
        stem_bits=ends,
        classifier_bits=ends,
        model_id=rng.bytes(16).hex(),
        seed=seed,
        epochs=1,
        learning_rate=0.01,
    )
    names = [name for name, _, _ in tasks]
    parameters = random_parameters(rng, config.topology(), names)
    run = Run(folder)
    run.write_config(config)
    run.write_secrets({name: rng.bytes(32) for name in names})
    parameters.save(run.parameters_file)
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
        config = run.config()
        images = {
            task.name: rng.integers(
                0, 256, (20, *config.input_shape[:2], task.input_channels), dtype=np.uint8
            )
            for task in config.tasks
        }
        export = export_run(run, provider_public, samples=images)
        return RandomExport(run, export, run.secrets(), images)

    return make


@pytest.fixture(scope="session")
def data() -> list[TaskData]:
    """A colour task of 4 classes and a grey audio task of 3."""
    return [make_task("colour", 3, 4, 50, False), make_task("sound", 1, 3, 30, True)]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, data: list[TaskData]) -> Run:
    """A run of four epochs, trained by one process for all; not to be changed."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (shared / "trained.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "trained").exists():
            training = tmp_path_factory.mktemp("training")
            train_once(training, data)
            training.rename(shared / "trained")
    copy = tmp_path_factory.mktemp("copy") / "trained"
    shutil.copytree(shared / "trained", copy)
    (folder,) = copy.iterdir()
    return Run(folder)


def train_once(folder: Path, data: list[TaskData]) -> Run:
    """The run that :func:`trained` gives."""
    from rbnn.train.trainer import Trainer

    settings = Settings(width=32, batch=10, epochs=4, precision="float32", seed=5)
    run = start_run(folder, data, settings, secrets=SECRETS, model_id=MODEL)
    Trainer(run, data).fit()
    return run


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; only what is compiled for this machine is the user's, and compiled once."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "native").symlink_to(make_cache(cache_folder() / "native"))
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    return cache


@pytest.fixture
def eager() -> Iterator[None]:
    """:func:`eagerly`, for a test of few steps whose claim does not depend on the graph."""
    with eagerly():
        yield


@pytest.fixture
def begin(tmp_path: Path, data: list[TaskData]) -> Callable[..., Run]:
    """Call it with :class:`Settings` fields to start a run with fixed secrets."""

    def make(folder: str = "runs", **fields: object) -> Run:
        usual: dict[str, object] = {"width": 32, "batch": 10, "epochs": 2, "seed": 5}
        # The same arithmetic on any machine.
        usual["precision"] = "float32"
        settings = Settings(**{**usual, **fields})  # type: ignore[arg-type]
        return start_run(tmp_path / folder, data, settings, secrets=SECRETS, model_id=MODEL)

    return make
