"""A terminal on a board's serial line, for people, and for scripts on standard input."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from typing import TextIO

from rbnn.device.line import SerialLine
from rbnn.spec import link

EXIT_BYTES = b"\x03\x1d"
"""Ctrl-C and Ctrl-]."""
BANNER = "Commands end with %, help% lists them. Ctrl-] or Ctrl-C exits.\n"


def run_script(line: SerialLine, source: TextIO, show: Callable[[str], None]) -> None:
    """Send every command in a text and show the device's answers.

    Args:
        line: a synchronised device.
        source: commands that end with ``%``; line ends between them do not matter.
        show: takes each line of the answers.

    Raises:
        LinkError: the device falls silent.
    """
    text = "".join(source.read().splitlines())
    for command in text.split(link.COMMAND_END):
        if command.strip():
            for answer in line.exchange(command.strip()):
                show(answer)


def run_interactive(line: SerialLine) -> None:
    """Connect this terminal to the line until Ctrl-] or Ctrl-C.

    Typed characters are shown locally, because the firmware does not echo them.
    """
    sys.stdout.write(BANNER)
    sys.stdout.flush()
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        for typed in _typed(keyboard, line):
            sys.stdout.buffer.write(typed.replace(b"\r", b"\r\n").replace(b"%", b"%\r\n"))
            sys.stdout.buffer.flush()
            line.write(typed)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        sys.stdout.write("\n")


def _typed(keyboard: int, line: SerialLine) -> Iterator[bytes]:
    """Bytes from the keyboard until an exit key; meanwhile, shows what the device sends."""
    while True:
        said = line.read_some()
        if said:
            sys.stdout.buffer.write(said)
            sys.stdout.buffer.flush()
        if not select.select([keyboard], [], [], 0)[0]:
            continue
        typed = os.read(keyboard, 64)
        stop = min((typed.find(byte) for byte in EXIT_BYTES if byte in typed), default=None)
        if typed[:stop]:
            yield typed[:stop]
        if stop is not None or not typed:
            return
