"""What is made before a board is touched: export, firmware, signed model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rbnn.device.target import Say, Target
from rbnn.errors import RbnnError
from rbnn.export.export import Export, export_run
from rbnn.export.packed import PackedModel
from rbnn.image import platformio, sizes
from rbnn.image.platformio import BuildResult
from rbnn.image.sizes import SizeReport
from rbnn.keys.models import signed
from rbnn.keys.models.signed import SignedModel
from rbnn.keys.provider_key import ProviderKey
from rbnn.places import build_cache
from rbnn.runs.figures import unfinished
from rbnn.runs.run import Run


@dataclass(frozen=True)
class PreparedModel:
    """A model that is signed, for a board whose firmware is there already.

    Args:
        source: folder of the run or packed model that it was made from.
        secrets: reads its task secrets, 32 bytes each, by name.
        export: the model.
        signed: the same, signed.
        key: what a board checks it with, 32 bytes.
    """

    source: Path
    secrets: Callable[[], Mapping[str, bytes]]
    export: Export
    signed: SignedModel
    key: bytes


@dataclass(frozen=True)
class Prepared:
    """A firmware that was built and fits its board.

    Args:
        source: folder of the run or packed model that it was made from.
        secrets: reads its task secrets, 32 bytes each, by name.
        export: the model.
        build: the image.
        sizes: of the image.
        signed: the model for its partition; None if it is in the image.
    """

    source: Path
    secrets: Callable[[], Mapping[str, bytes]]
    export: Export
    build: BuildResult
    sizes: SizeReport
    signed: SignedModel | None = None


def prepare(
    run: Run,
    target: Target,
    provider_public: bytes,
    say: Say,
    check: Callable[[Run, Export, Say], object] | None = None,
    *,
    development: bool = False,
    signer: ProviderKey | None = None,
) -> Prepared:
    """Export if needed, check, build, and measure; the board is not touched.

    Args:
        run: a trained run.
        target: the board.
        provider_public: X25519 public key of the licence provider, 32 bytes.
        say: told each step.
        check: raises if the export is not to be flashed, such as
            :func:`rbnn.export.checks.require_checked`; None if the caller checks.
        development: build with the commands that show what happens inside.
        signer: build for a model in a partition of its own, which this provider signs.

    Raises:
        FitError: the image does not fit the board; the message holds the numbers.
        RbnnError: the run is not usable, or a tool is missing.
    """
    export = checked_export(run, provider_public, say, check)
    return _build(run.folder, run.secrets, export, target, say, development, signer)


def prepare_packed(
    packed: PackedModel,
    target: Target,
    say: Say,
    folder: Path | None = None,
    *,
    development: bool = False,
    signer: ProviderKey | None = None,
) -> Prepared:
    """Like :func:`prepare`, for a packed model, whose keys are published.

    Args:
        packed: the model.
        target: the board.
        say: told each step.
        folder: for the build's input and output; None for one in the cache.
        development: as for :func:`prepare`.
        signer: as for :func:`prepare`.

    Raises:
        RbnnError: see :func:`prepare`.
    """
    export = lay_out_packed(packed, say, folder)
    return _build(
        *(packed.folder, packed.secrets, export, target, say, development, signer), test_only=True
    )


def lay_out_packed(packed: PackedModel, say: Say, folder: Path | None = None) -> Export:
    """An export of a packed model, in the cache unless a folder is named.

    Raises:
        RbnnError: it cannot be written.
    """
    say(f"The keys of {packed.folder} are TEST-ONLY: published, they protect nothing.")
    place = build_cache() / "packed" / packed.document.model_digest[:16]
    return packed.lay_out(place if folder is None else folder)


def prepare_model(
    source: Path, secrets: Callable[[], Mapping[str, bytes]], export: Export, signer: ProviderKey
) -> PreparedModel:
    """Sign a model, for a board that has the firmware already.

    Args:
        source: folder of the run or packed model.
        secrets: reads its task secrets.
        export: the model.
        signer: its provider.

    Raises:
        RbnnError: it is another provider's.
    """
    model = signed.sign(export.container, signer)
    return PreparedModel(source, secrets, export, model, signed.verifying_key(signer))


def checked_export(
    run: Run,
    provider_public: bytes,
    say: Say,
    check: Callable[[Run, Export, Say], object] | None = None,
) -> Export:
    """The current export of a run, made if needed; the arguments are those of :func:`prepare`.

    Raises:
        RbnnError: the run is not usable.
    """
    if note := unfinished(run):
        say(note)
    export = _current_export(run, provider_public, say)
    if check is not None:
        check(run, export, say)
    return export


def _build(
    source: Path,
    secrets: Callable[[], Mapping[str, bytes]],
    export: Export,
    target: Target,
    say: Say,
    development: bool,
    signer: ProviderKey | None,
    *,
    test_only: bool = False,
) -> Prepared:
    model = None if signer is None else signed.sign(export.container, signer)
    kind = "a development build of the firmware, with trace%," if development else "the firmware"
    say(f"Building {kind} for {target.board.name}.")
    build = platformio.build(
        *(target.board, export.folder),
        test_only=test_only,
        development=development,
        partition=None if signer is None else signed.verifying_key(signer),
    )
    return Prepared(source, secrets, export, build, sizes.report(build, export), model)


def _current_export(run: Run, provider_public: bytes, say: Say) -> Export:
    with contextlib.suppress(RbnnError):  # missing or damaged: exported again
        export = Export.read(run.export_folder)
        if export.is_current(run, provider_public):
            return export
    say(f"Exporting {run.folder}.")
    return export_run(run, provider_public)
