"""``rbnn flash``: from a trained run to a licensed board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    ProviderKeyOption,
    RegistryOption,
    UserKeyOption,
)


def flash(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Run folder or name; default: the newest. With --test-only: a packed model's "
            "folder; default: the shipped seven-task model."
        ),
    ] = None,
    board: BoardOption = options.DEFAULT_BOARD,
    user_key: UserKeyOption = None,
    tasks: options.LicensedTasksOption = None,
    name: options.DeviceNameOption = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    provider_key: ProviderKeyOption = options.DEFAULT_PROVIDER_KEY,
    runs: options.RunsOption = options.DEFAULT_RUNS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Build and measure; print what would be written.")
    ] = False,
    test_only: Annotated[
        bool,
        typer.Option("--test-only", help="Flash a packed model; its keys are published."),
    ] = False,
    development: Annotated[
        bool,
        typer.Option(
            "--development",
            help="Build with trace%, which rbnn profile needs and which shows every layer.",
        ),
    ] = False,
    partition: options.PartitionOption = False,
    model_only: Annotated[
        bool,
        typer.Option(
            "--model-only",
            help="Write only that partition and the licences; the firmware stays as it is.",
        ),
    ] = False,
    release_only: options.ReleaseOnlyOption = False,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit", help="First look for backdoors, as rbnn audit does; refuse what it finds."
        ),
    ] = False,
    benchmark: options.BenchmarkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export, check and build if needed, write the board, enrol it once, and license it."""
    from rbnn.device import deploy
    from rbnn.device.deploy import Prepared, PreparedModel
    from rbnn.device.source import find_source
    from rbnn.image import sizes
    from rbnn.keys import registry as registries
    from rbnn.tasks.names import split_names

    if development:
        options.refuse_beside("--development", {"--release-only": release_only or None})
    if model_only:
        unused = {"--development": development or None, "--partition": partition or None}
        options.refuse_beside("--model-only", unused)
    if not test_only:
        options.refuse_without(
            "--test-only", {"--benchmark": benchmark or None}, "rbnn export RUN --benchmark"
        )
    named = split_names(tasks)
    target = options.target(board, port, device_folder, emulated)
    source = find_source(
        run,
        runs=runs,
        provider_key=provider_key,
        test_only=test_only,
        say=options.say,
        development=development,
        partition=partition,
        benchmarks=options.benchmarks(benchmark),
    )
    names = source.choose_tasks(named)
    load_key = options.user_key_loader(user_key)
    key = None if dry_run else deploy.require_user_key(load_key)
    if not dry_run:
        target.check()
        registries.Registry.open(registry).close()  # refused before minutes of building
    if audit:
        _require_audit(source.folder, names)
    provider = source.provider()
    prepared: Prepared | PreparedModel
    if model_only:
        prepared = source.prepare_model(provider)
    else:
        prepared = source.prepare(target, provider)
        if not as_json:
            options.output().print(sizes.table(prepared.sizes))
    if key is None:
        plan = deploy.plan(prepared, target)
        print(plan.model_dump_json(indent=2) if as_json else "\n".join(plan.commands))
        return
    with registries.Registry.open(registry) as book:
        report = deploy.flash(
            *(prepared, target, provider, key, book, names, options.say, name),
            release_only=release_only,
        )
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        print(report.summary())


def _require_audit(folder: Path, names: list[str]) -> None:
    """Audit a model before anything is written to a board."""
    import shlex
    import sys

    from rbnn.audit.audit import summary
    from rbnn.audit.gate import audit_before, require_nothing_found
    from rbnn.tasks.loading_bar import LoadingBar

    command = shlex.join(["rbnn", *sys.argv[1:]])
    with LoadingBar() as bar:
        report, pages = audit_before(folder, names, command, bar.show)
    options.say(f"Audit: {summary(report)} ({pages / 'audit.html'}).")
    require_nothing_found(report, pages)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("flash", cls=options.UserKeyCommand)(flash)
