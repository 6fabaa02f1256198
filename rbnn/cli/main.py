"""Entry point: turns errors into two lines, or one JSON document, and an exit code.

What takes time to import is imported where Ctrl-C is already answered in one line.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

INTERRUPTED = 128 + signal.SIGINT
COLLECT_AFTER = 100_000
"""New objects before Python looks for garbage: more than the 70,000 that ``rbnn infer`` imports. At
the usual 700, looking takes some 6 % of its time."""


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: while modules are being imported, nothing can be lost."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


class _Output:
    """Standard output that knows whether anything was written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.used = False

    def write(self, text: str) -> Any:
        self.used = True
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def build() -> typer.Typer:
    """The application."""
    from rbnn.cli.application import app

    return app


def wants_json(arguments: list[str]) -> bool:
    """Whether a command line asks for one JSON document, as all commands spell it."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in before


def _start_fast() -> None:
    """Leave out what Python and pydantic do at every start, and what rbnn does not need."""
    gc.set_threshold(COLLECT_AFTER)
    # Pydantic looks for plugins in every installed package; rbnn uses none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def run() -> None:
    """What the ``rbnn`` script calls."""
    _start_fast()
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # not where the caller ignores Ctrl-C (nohup)
        signal.signal(signal.SIGINT, _leave)
    from rbnn.errors import ExitCode, RbnnError

    application = build()
    signal.signal(signal.SIGINT, handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is escaped
            stream.reconfigure(errors="backslashreplace")
    # What the parent process has closed is read as empty, and written to nobody.
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115 (open as long as the process)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    output = _Output(sys.stdout)
    as_json = wants_json(sys.argv[1:])
    if as_json:
        sys.stdout = output

    def end(what: str, fix: str, code: int) -> None:
        """Say what went wrong. A document that is already printed stays the only one."""
        if as_json and not output.used:
            import json

            print(json.dumps({"error": what, "try": fix}, indent=2), flush=True)
        sys.exit(code)

    def show(what: str, fix: str) -> None:
        from rich.console import Console

        errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        errors.print(f"error: {what}", style="bold red")
        if fix:
            errors.print(f"try: {fix}")

    try:
        application()
    except RbnnError as error:
        show(error.what, error.fix)
        end(error.what, error.fix, error.exit_code)
    except ModuleNotFoundError as error:
        from rbnn.extras import explain

        missing = explain(error)
        if missing is None:
            raise
        show(missing.what, missing.fix)
        end(missing.what, missing.fix, missing.exit_code)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        what, fix = "No space left to write the output.", "Free some space, and run it again."
        show(what, fix)
        end(what, fix, ExitCode.REFUSED)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        end("interrupted", "", INTERRUPTED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # Typer's silent answer to Ctrl-C
            print("interrupted", file=sys.stderr)
            end("interrupted", "", INTERRUPTED)
        usage = getattr(ended.__context__, "format_message", None)
        if usage is not None:  # Typer has shown what it does not understand
            end(usage(), "Read the command's options: --help", ExitCode.USAGE)
        raise


if __name__ == "__main__":
    run()
