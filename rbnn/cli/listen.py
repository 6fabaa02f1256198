"""``rbnn listen``: have the board listen to a recording."""

from __future__ import annotations

import sys
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
    UserKeyOption,
)

CLEAR_LINE = "\r\x1b[K"


def listen(
    file: Annotated[Path, typer.Argument(help="WAV file of any length and rate.")],
    task: Annotated[
        str | None, typer.Option("--task", help="Task that listens; default: the active one.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Average score from which a word counts: 0.01 to 1."),
    ] = None,
    board: BoardOption = options.DEFAULT_BOARD,
    user_key: UserKeyOption = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send a recording to the board; print the words that it detects, as they come.

    The board computes the pictures from the samples itself. If it fails, or at Ctrl-C, what it
    detected before is printed; with --json, together with the error.
    """
    import contextlib
    import json

    from rbnn.device.sound.listening import Listening, choose_task, line_of, summary
    from rbnn.errors import RbnnError
    from rbnn.spec.audio import THRESHOLD_PPM
    from rbnn.spec.scores import PPM
    from rbnn.tasks.sample import load_recording

    wanted = THRESHOLD_PPM / PPM if threshold is None else threshold
    if not 0.01 <= wanted <= 1:
        raise RbnnError(f"--threshold is from 0.01 to 1. Received: {wanted:g}.", "Change it.")
    pcm = load_recording(file)
    shown = sys.stderr.isatty()

    def progress(done: float, total: float) -> None:
        if shown:
            print(f"{CLEAR_LINE}{done:.0f} of {total:.0f} s", end="", file=sys.stderr, flush=True)

    target = options.target(board, port, device_folder, emulated)
    failed: dict[str, str] = {}
    listening = None
    with target.open() as session:
        name = choose_task(session, task, options.user_key_loader(user_key))
        listening = Listening(session, name, file, pcm, wanted, progress)
        try:
            with contextlib.closing(listening.run()) as detections:
                for found in detections:
                    if not as_json:
                        print(CLEAR_LINE if shown else "", end="", file=sys.stderr, flush=True)
                        print(line_of(found), flush=True)
        except RbnnError as error:
            failed = {"error": error.what, "try": error.fix}
            raise
        except KeyboardInterrupt:
            failed = {"error": "interrupted", "try": ""}
            raise
        finally:
            if shown:
                print(CLEAR_LINE, end="", file=sys.stderr, flush=True)
            report = listening.report()
            if as_json and (report.seconds or not failed):
                print(json.dumps({**report.model_dump(mode="json"), **failed}, indent=2))
            elif report.seconds and not as_json:
                for line in summary(report):
                    print(line)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("listen", cls=options.UserKeyCommand)(listen)
