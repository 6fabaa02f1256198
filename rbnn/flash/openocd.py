"""A real board's flash through OpenOCD and its debug probe: writing a file, locking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from rbnn.flash.errors import FlashError
from rbnn.image import watched
from rbnn.programs import install_command

PROGRAM = "openocd"
TIMEOUT_S = 120
ALONE = "gdb_port disabled; telnet_port disabled; tcl_port disabled"
"""Commands without which a second OpenOCD, for another board, would want the same TCP ports."""
Tell = Callable[[str], object]
"""Given each step that OpenOCD announces."""


def program_command(script: str, file: Path, address: int, probe: str) -> list[str]:
    """The command that writes ``file`` and verifies it.

    Args:
        script: OpenOCD's own board script, for example ``board/st_nucleo_f4.cfg``.
        file: raw bytes; its path may contain spaces, but no braces.
        address: of its first byte.
        probe: USB serial number of the debug probe; with two boards, OpenOCD would take either.

    Raises:
        FlashError: the path cannot be quoted for OpenOCD.
    """
    path = str(file.resolve())
    if set("{}\\") & set(path):
        raise FlashError(
            f"OpenOCD cannot read the path {path}.", "Use a folder without braces and backslashes."
        )
    chosen = ["-f", script, "-c", f"{ALONE}; adapter serial {probe}"]
    return [PROGRAM, *chosen, "-c", f"program {{{path}}} {address:#010x} verify reset exit"]


def require() -> None:
    """Check that OpenOCD is installed.

    Raises:
        FlashError: it is not; the message holds the command that installs it.
    """
    if shutil.which(PROGRAM) is None:
        raise FlashError(
            "openocd is not installed; real boards are written with it.",
            f"Install it: {install_command(PROGRAM)}",
        )


def lock_command(script: str, lock: str, probe: str) -> list[str]:
    """The command that turns a chip's read-out protection on.

    Args:
        script: as for :func:`program_command`.
        lock: OpenOCD's command for this chip, for example ``stm32f2x lock 0``.
        probe: as for :func:`program_command`.
    """
    chosen = ["-f", script, "-c", f"{ALONE}; adapter serial {probe}"]
    return [PROGRAM, *chosen, "-c", f"init; reset halt; {lock}; shutdown"]


def program(script: str, file: Path, address: int, probe: str, tell: Tell | None = None) -> None:
    """Write ``file`` to the board at the debug probe with this serial number, verify, and reset.

    Raises:
        FlashError: OpenOCD is missing, finds no board, or the board does not hold what was
            written; the message ends with OpenOCD's last error lines.
    """
    _run(program_command(script, file, address, probe), "write the board", tell)


def lock(script: str, lock_text: str, probe: str) -> None:
    """Turn on the read-out protection of the board at the debug probe with this serial number.

    It holds from the next power-on.

    Raises:
        FlashError: as :func:`program`.
    """
    _run(lock_command(script, lock_text, probe), "lock the board")


def _run(command: list[str], what: str, tell: Tell | None = None) -> None:
    require()
    try:
        code, output = watched.run(command, tell=tell, timeout_s=TIMEOUT_S)
    except TimeoutError as error:
        raise FlashError(
            f"openocd did not finish within {TIMEOUT_S} s.",
            "Unplug the board, plug it in again and run the command again.",
        ) from error
    if code != 0:
        said = [line for line in output.splitlines() if line.startswith("Error:")]
        said += ["Error: the board does not hold what was written"] * ("Verify Failed" in output)
        raise FlashError(
            f"openocd could not {what}: "
            + (" / ".join(line.removeprefix("Error:").strip() for line in said[-2:]) or "no reason")
            + ".",
            "Check the USB cable, and that no other program (such as a debugger) uses the board.",
        )
