"""What can be flashed to a board: the user's own run, or a packed model with published keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rbnn.device import deploy
from rbnn.device.deploy import DeployError, Prepared, PreparedModel
from rbnn.device.model.prepare import checked_export, lay_out_packed
from rbnn.device.target import Say, Target
from rbnn.errors import RbnnError
from rbnn.export.checks import require_checked
from rbnn.export.packed import SHIPPED, PackedModel, refuse_unasked
from rbnn.keys.errors import SignedModelError
from rbnn.keys.models.signed import SignedModel, parse
from rbnn.keys.provider_key import ProviderKey, ensure_provider
from rbnn.keys.published import published_provider
from rbnn.runs.run import Run, choose_run
from rbnn.spec.link import Benchmark


@dataclass(frozen=True)
class Source:
    """A model that can be flashed.

    Args:
        folder: of the run or packed model.
        tasks: their names.
        provider: reads or makes the provider key that issues its licences.
        prepare: exports and builds it for a board and that provider.
        prepare_model: exports and signs it, for a board that has the firmware.
    """

    folder: Path
    tasks: tuple[str, ...]
    provider: Callable[[], ProviderKey]
    prepare: Callable[[Target, ProviderKey], Prepared]
    prepare_model: Callable[[ProviderKey], PreparedModel]

    def choose_tasks(self, names: Sequence[str]) -> list[str]:
        """The tasks that ``--tasks`` selects.

        Args:
            names: of tasks; empty for all.

        Raises:
            DeployError: there is no such task.
        """
        chosen = list(names) or list(self.tasks)
        for name in chosen:
            if name not in self.tasks:
                raise DeployError(
                    f"{self.folder} has no task {name!r}.", f"It has: {', '.join(self.tasks)}."
                )
        return chosen


def find_source(
    name: Path | None,
    *,
    runs: Path,
    provider_key: Path,
    test_only: bool,
    say: Say,
    development: bool = False,
    partition: bool = False,
    benchmarks: Mapping[str, Benchmark] | None = None,
) -> Source:
    """The model that the options of ``rbnn flash`` select.

    Args:
        name: a run folder or its name in ``runs``, None for the newest; with ``test_only``, a
            packed model's folder, None for the shipped one.
        runs: folder of all runs.
        provider_key: file of the key that issues a run's licences; made if missing.
        test_only: use a packed model, whose keys are published.
        say: told each step.
        development: build with the commands that show what happens inside.
        partition: build for a model in a partition of its own.
        benchmarks: of MLPerf Tiny that tasks of a packed model shall stand for, by task.

    Raises:
        RbnnError: there is no such run or packed model, or a packed one was named without
            ``test_only``.
    """
    if test_only:
        packed = PackedModel.read(name or SHIPPED)
        return _packed(packed.with_benchmarks(benchmarks or {}), say, development, partition)
    refuse_unasked(name)
    try:
        return _run(choose_run(name, runs), provider_key, say, development, partition)
    except RbnnError as error:
        if name is None:
            error.fix += (
                "; or, for a test, flash the shipped model: rbnn flash --test-only --user-key"
            )
        raise


def _packed(packed: PackedModel, say: Say, development: bool, partition: bool) -> Source:
    return Source(
        packed.folder,
        tuple(task.name for task in packed.document.tasks),
        published_provider,
        lambda target, provider: deploy.prepare_packed(
            *(packed, target, say),
            development=development,
            signer=provider if partition else None,
        ),
        lambda provider: deploy.prepare_model(
            packed.folder, packed.secrets, lay_out_packed(packed, say), provider
        ),
    )


def _run(run: Run, provider_key: Path, say: Say, development: bool, partition: bool) -> Source:
    return Source(
        run.folder,
        tuple(task.name for task in run.config().tasks),
        partial(ensure_provider, provider_key, say=say),
        lambda target, provider: deploy.prepare(
            *(run, target, provider.public, say, require_checked),
            development=development,
            signer=provider if partition else None,
        ),
        lambda provider: deploy.prepare_model(
            run.folder,
            run.secrets,
            checked_export(run, provider.public, say, require_checked),
            provider,
        ),
    )


def read_signed(file: Path) -> SignedModel:
    """Read a signed model.

    Raises:
        SignedModelError: it cannot be read, or is none.
    """
    try:
        return parse(file.read_bytes())
    except OSError as error:
        raise SignedModelError(
            f"Cannot read {file}: {error.strerror}.", "Make one: rbnn export RUN"
        ) from error
    except RbnnError as error:
        raise SignedModelError(f"{file}: {error.what}", error.fix) from error
