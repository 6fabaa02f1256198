"""A program that takes a while: its output, and the steps that it announces, as they come."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

_STEP = re.compile(r"\*\* (.+?) \*\*")
"""How OpenOCD announces what it does: programming, verifying, resetting."""


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[str], object] | None = None,
    timeout_s: float | None = None,
) -> tuple[int, str]:
    """Run a program to its end.

    Args:
        command: its words.
        environment: its variables; None for this process's.
        tell: given each step that OpenOCD announces, as one line.
        timeout_s: after which it is ended.

    Returns:
        Its exit code and all that it printed.

    Raises:
        TimeoutError: it took longer.
    """
    with subprocess.Popen(
        list(command),
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(timeout_s or threading.TIMEOUT_MAX, end)
        timer.daemon = True
        timer.start()
        said = []
        try:
            for line in process.stdout or ():
                said.append(line)
                if tell is not None and (step := _STEP.search(line)):
                    tell(f"  {step[1]}")
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
    if is_late.is_set():
        raise TimeoutError
    return code, "".join(said)
