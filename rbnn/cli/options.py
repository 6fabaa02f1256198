"""Options that several commands share, and ``--user-key`` without a value."""

from __future__ import annotations

import functools
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand

from rbnn.errors import RbnnError
from rbnn.image.defaults import DEFAULT_BOARD as DEFAULT_BOARD

if TYPE_CHECKING:
    from rbnn.device.emulated.target import EmulatedTarget
    from rbnn.device.target import Target
    from rbnn.keys.user_key import UserKey
    from rbnn.pages.terminal import Terminal
    from rbnn.runs.errors import TrainingPausedError
    from rbnn.spec.link import Benchmark

T = TypeVar("T")
USER_KEY = "--user-key"
NO_VALUE = "\0"
"""Stands for the value of a bare ``--user-key``; no shell can pass it."""

BoardOption = Annotated[
    str, typer.Option("--board", help="Name of the board: `rbnn boards` lists them.")
]
PortOption = Annotated[
    str | None, typer.Option("--port", help="Serial port of a real board; default: found by USB.")
]
DeviceFolderOption = Annotated[
    Path | None,
    typer.Option("--device-folder", help="Emulated board's folder; default: emulated/<board>."),
]
EmulatedOption = Annotated[
    bool, typer.Option("--emulated", help="Emulate the board instead of using a real one.")
]
RegistryOption = Annotated[
    str,
    typer.Option("--registry", help="Registry of devices and licences: file or SQLAlchemy URL."),
]
ProviderKeyOption = Annotated[
    Path, typer.Option("--provider-key", help="Licence provider's key; made if missing.")
]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File (mode 0600) whose first line is the passphrase."),
]
PartitionOption = Annotated[
    bool,
    typer.Option(
        "--partition",
        help="The model in a flash partition of its own, signed: docs/model-update.md.",
    ),
]
ReleaseOnlyOption = Annotated[
    bool,
    typer.Option("--release-only", help="Licences that a development build does not open."),
]


def _checked_name(name: str | None) -> str | None:
    """Refused before a board is touched: what it was enrolled as cannot be taken back."""
    if name is not None:
        from rbnn.keys.records import check_device_name

        check_device_name(name)
    return name


DeviceNameOption = Annotated[
    str | None,
    typer.Option("--name", help="What the registry calls the device.", callback=_checked_name),
]
LicensedTasksOption = Annotated[
    str | None,
    typer.Option("--tasks", help="Tasks to license, such as digits,words; default: all."),
]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of all runs.")]
BenchmarkOption = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark",
        metavar="TASK=NAME",
        help="The MLPerf Tiny benchmark that a task stands for: docs/mlperf.md. May be repeated.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="HH:MM",
        help="Stop at this time of day, saved as with Ctrl-C; the exit code is then 0.",
    ),
]
UserKeyOption = Annotated[
    str | None,
    typer.Option(
        USER_KEY,
        metavar="[PATH]",
        help="Key file, or - for standard input; without a value, keys/user.key or a prompt.",
    ),
]

DEFAULT_REGISTRY = "registry.sqlite"
DEFAULT_RUNS = Path("runs")
DEFAULT_PROVIDER_KEY = Path("keys") / "provider.pem"


def with_user_key_value(arguments: Sequence[str]) -> list[str]:
    """Give a bare ``--user-key`` the value :data:`NO_VALUE`.

    It is bare if it comes last or before another option; a single ``-`` is a value.
    """
    result: list[str] = []
    for position, argument in enumerate(arguments):
        following = arguments[position + 1 : position + 2]
        bare = not following or (following[0].startswith("-") and following[0] != "-")
        if argument == "--":
            return [*result, *arguments[position:]]
        result.append(f"{USER_KEY}={NO_VALUE}" if argument == USER_KEY and bare else argument)
    return result


def taken_by_user_key(arguments: Sequence[str]) -> str | None:
    """The word after ``--user-key`` that is its value; None where it has none or ``=PATH``."""
    for argument, following in itertools.pairwise(arguments):
        if argument == "--":
            return None
        if argument == USER_KEY and not following.startswith("-"):
            return following
    return None


class UserKeyCommand(TyperCommand):
    """A command whose ``--user-key`` may be given without a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Complete ``--user-key``, then parse as usual.

        Raises:
            RbnnError: an argument is missing, and ``--user-key`` took a word as its value.
        """
        taken = taken_by_user_key(args)
        try:
            return super().parse_args(ctx, with_user_key_value(args))
        except typer.BadParameter as error:
            if taken is None or not isinstance(error.param, TyperArgument):
                raise
            raise RbnnError(
                f"{str(error.param.name).upper()} is missing: {USER_KEY} took {taken!r} as its "
                "PATH.",
                f"Write {USER_KEY}=PATH, or put {USER_KEY} last: "
                f"{ctx.command_path} {taken} {USER_KEY}",
            ) from error


def say(line: str) -> None:
    """Print a line of progress to standard error."""
    print(line, file=sys.stderr, flush=True)


def pause(line: str) -> None:
    """Ask for something, and wait for Return.

    Raises:
        RbnnError: there is nobody to ask.
    """
    say(f"{line}, then press Return.")
    if not sys.stdin.readline():
        raise RbnnError(f"Nobody was there to do this: {line}.", "Run it in a terminal.")


def paused(error: TrainingPausedError, as_json: bool) -> None:
    """Say that ``--until`` stopped a training, and how to continue it."""
    say(error.what)
    say(f"Continue with: {error.fix}")
    if as_json:
        print(json.dumps({"stopped": error.what, "continue": error.fix}, indent=2))


def refuse_beside(option: str, others: Mapping[str, object]) -> None:
    """Refuse options that another one makes meaningless.

    Args:
        option: the one that was given.
        others: values by option; None for those that were not given.

    Raises:
        RbnnError: one of them was given.
    """
    for name, value in others.items():
        if value is not None:
            raise RbnnError(f"{name} cannot be combined with {option}.", "Omit one of the two.")


def refuse_without(option: str, others: Mapping[str, object], instead: str = "") -> None:
    """Refuse options that mean nothing without another one.

    Args:
        option: the one that is missing.
        others: values by option; None for those that were not given.
        instead: another command that takes them.

    Raises:
        RbnnError: one of them was given.
    """
    for name, value in others.items():
        if value is not None:
            other = f"; or use {instead}" if instead else ""
            raise RbnnError(f"{name} requires {option}.", f"Add {option}, or omit {name}{other}.")


def benchmarks(typed: list[str] | None) -> dict[str, Benchmark]:
    """What ``--benchmark`` says of each task."""
    from rbnn.runs.settings import TABLE
    from rbnn.spec.link import Benchmark

    setting = TABLE["benchmarks"]
    chosen: dict[str, str] = setting.read(typed or [])
    setting.check(chosen)
    return {task: Benchmark[name.upper()] for task, name in chosen.items()}


def keep(results: Iterable[T], kept: list[T]) -> Iterator[T]:
    """Pass results on, and put each into ``kept``, where it outlives an error."""
    for one in results:
        kept.append(one)
        yield one


def output() -> Terminal:
    """Standard output for tables and results."""
    from rbnn.pages.terminal import Terminal

    return Terminal()


def target(board: str, port: str | None, folder: Path | None, emulated: bool) -> Target:
    """The board that the shared options select."""
    from rbnn.device.targets import find_target
    from rbnn.image.board import load_board

    return find_target(load_board(board), port=port, folder=folder, emulated=emulated, say=say)


def demo_target(board: str, port: str | None, folder: Path, emulated: bool) -> Target:
    """A real board, or a new emulated one in ``folder``."""
    from rbnn.image.board import load_board

    chosen = load_board(board)
    is_real = not (emulated or chosen.is_emulated_only)
    return target(board, port, None if is_real else folder, emulated)


def emulated_target(board: str, folder: Path | None) -> EmulatedTarget:
    """The emulated board that the options select; any board with a QEMU machine may be one."""
    from rbnn.device.emulated.target import EmulatedTarget
    from rbnn.image.board import load_board

    return EmulatedTarget(load_board(board), folder or Path("emulated") / board, say)


def load_user_key(value: str | None) -> UserKey:
    """The user key that ``--user-key`` names, read now; the default one if it names none."""
    from rbnn.keys import user_key
    from rbnn.keys.errors import UserKeyError

    if value in (None, NO_VALUE):
        return user_key.load_user_key(None)
    path = Path(value)
    try:
        return user_key.load_user_key(path)
    except UserKeyError as error:
        if value != "-" and not path.is_file():  # it may be another argument of the command
            error.fix += (
                f"; or, if {value} is another argument, put {USER_KEY} last: it takes the next "
                "word as its PATH"
            )
        raise


def user_key_loader(value: str | None) -> Callable[[], UserKey] | None:
    """A function that reads the user key of ``--user-key``, once; None if the option was not
    given."""
    return None if value is None else functools.cache(lambda: load_user_key(value))
