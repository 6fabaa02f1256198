"""``rbnn export``: from a run to container, C arrays and golden vectors, and to a C library."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli.options import (
    DEFAULT_PROVIDER_KEY,
    DEFAULT_RUNS,
    BenchmarkOption,
    JsonOption,
    PassphraseFileOption,
    benchmarks,
    output,
    refuse_beside,
    refuse_without,
    say,
)

if TYPE_CHECKING:
    from rbnn.export.export import Export
    from rbnn.library.names import Names


def export(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    provider_key: Annotated[
        Path,
        typer.Option(
            "--provider-key",
            help="Licence provider's key. Its .pub file suffices; the key itself also signs the "
            "model for a board's model partition: docs/model-update.md.",
        ),
    ] = DEFAULT_PROVIDER_KEY,
    passphrase_file: PassphraseFileOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: RUN/export.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(help="Compare C engine, integer reference and Keras on the test sets."),
    ] = True,
    board: Annotated[
        str | None,
        typer.Option(
            "--board", help="Refuse a model that does not fit in this board's flash and RAM."
        ),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            help="Also write a C library for your own firmware into this folder: docs/c-api.md.",
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            "--prefix", help="Of all its names, so that a program may hold two; default: rbnn_."
        ),
    ] = None,
    test_only: Annotated[
        bool,
        typer.Option(
            "--test-only", help="With --library: of a packed model, whose keys are published."
        ),
    ] = False,
    benchmark: BenchmarkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's model container, C arrays and golden vectors; with --library, a C library."""
    from rich.console import Console

    from rbnn.export import checks as export_checks
    from rbnn.export.export import NO_PROVIDER, export_run
    from rbnn.export.packed import refuse_unasked
    from rbnn.export.report import check_table, size_table
    from rbnn.export.ship import FOLDER
    from rbnn.export.verify import require_passed, verify_run, warnings
    from rbnn.image.board import load_board
    from rbnn.image.fit import check_model
    from rbnn.keys.provider_key import load_provider_public
    from rbnn.runs.benchmarks import choose_benchmarks
    from rbnn.runs.figures import unfinished
    from rbnn.runs.run import choose_run
    from rbnn.runs.start import load_data
    from rbnn.tasks.loading_bar import LoadingBar

    names = _library_names(library, prefix, test_only)
    if library is not None and names is not None and test_only:
        refused = {"--out": out, "--board": board, "--benchmark": benchmark or None}
        refuse_beside("--test-only", refused)
        _write_packed(run, library, names, as_json)
        return
    refuse_unasked(run, "rbnn export {} --library DIR --test-only")
    trained = choose_run(run, DEFAULT_RUNS)
    if benchmark:
        choose_benchmarks(trained, benchmarks(benchmark))
    if note := unfinished(trained):
        say(note)
    provider = load_provider_public(provider_key)
    if names is not None:
        from rbnn.library.library import require_provider

        require_provider(provider or NO_PROVIDER)
    check = None if board is None else partial(check_model, load_board(board))
    with LoadingBar() as bar:
        result = export_run(trained, provider or NO_PROVIDER, out, bar.show, check=check)
    memory = None if check is None else check(result.container)
    checks = []
    if verify:
        with LoadingBar() as bar:
            data = load_data(trained.config(), bar.show)
            checks = verify_run(trained, result.container, data, bar.show)
        export_checks.record(result, checks)
    # Not one of a model that failed its checks.
    passed = all(check.passed for check in checks)
    signed, model_key = None, None
    if provider and passed:
        signed, model_key = _sign(result, provider_key, passphrase_file)
    written = library if names is not None and passed else None
    if written is not None and names is not None:
        from rbnn.library.library import write_library

        write_library(result.container, written, names)
    if as_json:
        document = {
            "run": str(trained.folder),
            "folder": str(result.folder),
            "ship": str(result.folder / FOLDER),
            "signed": None if signed is None else str(signed),
            "model_key": model_key,
            "library": None if written is None else str(written),
            "manifest": result.manifest.model_dump(mode="json"),
            "memory": None if memory is None else {**asdict(memory), "weights": memory.mode},
            "checks": [{**check.model_dump(), "passed": check.passed} for check in checks],
        }
        print(json.dumps(document, indent=2))
    else:
        console = output()
        console.print(size_table(result.manifest))
        if checks:
            console.print(check_table(checks))
        if memory is not None:
            console.print(
                f"RAM on {board}, bytes: activations {memory.arena:,}, tables and tiles "
                f"{memory.work:,}, task parameters {memory.params:,}, resident weights "
                f"{memory.resident:,}. Weights: {memory.mode}",
                soft_wrap=True,
            )
        console.print(f"Export: {result.folder}", soft_wrap=True)
        if signed is not None:
            console.print(f"Signed, for a model partition: {signed}", soft_wrap=True)
            console.print(f"It is checked with the key {model_key}", soft_wrap=True)
        console.print(f"To pass on: {result.folder / FOLDER} and nothing else", soft_wrap=True)
        if written is not None and names is not None:
            _say_library(written, names)
    if provider is None:
        Console(stderr=True, highlight=False).print(
            f"No provider key {provider_key}: this export cannot be licensed. "
            "`rbnn flash` makes a key and exports again.",
            soft_wrap=True,
        )
    for line in warnings(checks):
        Console(stderr=True, highlight=False).print(line, soft_wrap=True, markup=False)
    require_passed(checks)


def _sign(
    export: Export, provider_key: Path, passphrase_file: Path | None
) -> tuple[Path | None, str | None]:
    """Write the signed model if the provider's key opens without a question; its file, and the key
    that checks it, in hexadecimal."""
    from rbnn.export.ship import FOLDER, SIGNED_FILE
    from rbnn.files import write_atomic
    from rbnn.keys.errors import ProviderKeyError
    from rbnn.keys.models.signed import sign, verifying_key
    from rbnn.keys.provider_key import load_provider_key

    try:
        provider = load_provider_key(provider_key, passphrase_file, prompt=False)
    except ProviderKeyError as error:
        if passphrase_file is not None:
            raise
        say(f"The model is not signed for a model partition: {error.what}")
        return None, None
    path = export.folder / FOLDER / SIGNED_FILE
    write_atomic(path, sign(export.container, provider).data)
    return path, verifying_key(provider).hex()


def _library_names(library: Path | None, prefix: str | None, test_only: bool) -> Names | None:
    """The names of the library that the options ask for; its folder is checked before any work."""
    if library is None:
        refuse_without("--library", {"--prefix": prefix, "--test-only": test_only or None})
        return None
    from rbnn.library.folder import check_folder
    from rbnn.library.names import DEFAULT, Names

    names = Names.parse(DEFAULT if prefix is None else prefix)
    check_folder(library)
    return names


def _write_packed(folder: Path | None, library: Path, names: Names, as_json: bool) -> None:
    from rbnn.export.packed import SHIPPED, WARNING, PackedModel
    from rbnn.library.library import write_library

    write_library(PackedModel.read(folder or SHIPPED).container, library, names)
    say(WARNING)
    if as_json:
        print(json.dumps({"library": str(library)}, indent=2))
    else:
        _say_library(library, names, f" -D {names.macro}ALLOW_TEST_ONLY=ON")


def _say_library(library: Path, names: Names, options: str = "") -> None:
    console = output()
    console.print(f"Library: {library}, header src/{names.package}.h", soft_wrap=True)
    build = f"cmake -S {shlex.quote(str(library))} -B build{options} && cmake --build build"
    console.print(f"Build it with: {build}", soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)
