"""The serial line itself: used by only one program, and for one command at a time."""

from __future__ import annotations

import random
import termios
import threading
import time
from collections.abc import Iterator
from types import TracebackType

import serial

from rbnn.device.errors import LinkError, NoiseError, PortError, from_error_line
from rbnn.spec import link

COMMAND_TIMEOUT_S = 20.0
"""Longest silence inside an answer; an inference under emulation is the slowest."""
SYNC_TRY_S = 1.5
SYNC_TIMEOUT_S = 20.0
QUIET_S = 0.1
UNREADABLE = "\x01"
"""A byte that no command holds: the device does not run a line that has it."""
MAX_LINE_BYTES = 16_384
MAX_LINES = 4_096
"""More than the longest line of an answer, and the longest answer, have."""


def redact(command: str) -> str:
    """``command`` as it may be shown: without the key of ``unlock`` and without long hex.

    The key is the last word of ``unlock``, whatever else is missing, so only words before it are
    kept.
    """
    word, *arguments = command.split() or [""]
    if word == "unlock":
        return " ".join([word, *arguments[:-1][:1], "<key>"])
    if word == "db" and arguments and arguments[0] not in ("load", "print"):
        return "db <data>"
    return command


class SerialLine:
    """A port that only this object holds open.

    Args:
        path: a serial port of this machine, or an emulated board's pseudo terminal.

    Raises:
        PortError: it cannot be opened, or another program uses it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._port = serial.Serial(
                path, link.BAUD, timeout=0.05, write_timeout=10.0, exclusive=True
            )
        except (OSError, ValueError, termios.error) as error:
            if "exclusively lock" in str(error):
                raise PortError(
                    f"{path} is in use by another program.",
                    "End that program (another rbnn command, a terminal), then try again.",
                ) from error
            raise PortError(
                f"Cannot open the serial port {path}: {error}.",
                "Check the cable and your permissions (group dialout), or use --port.",
            ) from error
        self._pending = b""
        self._interrupted = threading.Event()
        self._in_step = True
        """Whether the last command's answer has ended: what comes next is the next one's."""
        self.patience = 1.0
        """Factor of every wait for a line."""

    def __enter__(self) -> SerialLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the port."""
        self._port.close()

    def interrupt(self) -> None:
        """Have whoever waits for a line, in another thread or later, get an error instead.

        To be closed then: an answer may still be on its way.
        """
        self._interrupted.set()

    def write(self, data: bytes) -> None:
        """Send raw bytes.

        Raises:
            LinkError: the board was unplugged or does not accept data.
        """
        try:
            self._port.write(data)
            self._port.flush()
        except (OSError, termios.error) as error:  # termios.error: tcdrain, the port went away
            raise self._gone(error) from error

    def read_line(self, timeout_s: float) -> str | None:
        """One line without its line end, or None if none is complete after ``timeout_s``.

        Raises:
            LinkError: the board was unplugged, or sends a line without end; or the wait was
                interrupted.
        """
        end = time.monotonic() + timeout_s * self.patience
        while True:
            head, newline, rest = self._pending.partition(b"\n")
            if newline:
                self._pending = rest
                return head.strip(b"\r").decode("utf-8", errors="replace")
            if len(self._pending) > MAX_LINE_BYTES:
                raise self._babble("a line without end")
            if self._interrupted.is_set():
                raise LinkError(f"The command on {self.path} was interrupted.", "Send it again.")
            if time.monotonic() >= end:
                return None
            self._pending += self.read_some()

    def read_some(self) -> bytes:
        """Whatever has arrived, after 50 ms at most; possibly nothing.

        Raises:
            LinkError: the board was unplugged.
        """
        try:
            waiting: bytes = self._port.read(max(1, self._port.in_waiting))
            return waiting
        except (OSError, termios.error, TypeError) as error:
            # TypeError: pyserial, port closed meanwhile
            raise self._gone(error) from error

    def _drop_waiting(self) -> None:
        try:
            self._port.reset_input_buffer()
        except (OSError, termios.error) as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> LinkError:
        return LinkError(
            f"{self.path} was disconnected: {error}.",
            "Check that the board is plugged in (emulated: rbnn board on).",
        )

    def _babble(self, what: str) -> NoiseError:
        return NoiseError(
            f"{self.path} sends {what}.",
            "Check board and port, power-cycle the board, or write the firmware: rbnn flash",
        )

    def drain(self) -> None:
        """Drop everything until the line has been quiet for 100 ms.

        Raises:
            LinkError: the board was unplugged, or is never quiet.
        """
        started = quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S:
            if self.read_some():
                quiet_since = time.monotonic()
            if quiet_since - started > SYNC_TIMEOUT_S:
                raise self._babble("bytes without end")
        self._pending = b""

    def synchronise(self, timeout_s: float = SYNC_TIMEOUT_S) -> str:
        """Wait until the device answers, ending any half-typed line that it still holds.

        A device that starts slowly is asked again, and may answer every time. All these answers
        are awaited, so that none is taken for the answer to the next command. Questions that were
        lost while it started cost ``SYNC_TRY_S`` of silence.

        Args:
            timeout_s: how long a device that is just starting may take.

        Returns:
            The board's name as the firmware reports it.

        Raises:
            LinkError: nothing answers in this grammar.
        """
        end = time.monotonic() + timeout_s
        heard = ""
        names: list[str] = []
        asked = 0
        self.drain()
        while time.monotonic() < end:
            self.write(b"%name%")
            asked += 1
            while (line := self.read_line(SYNC_TRY_S)) is not None:
                heard = line or heard
                if line.startswith("m-name-dut-["):
                    names.append(line.removeprefix("m-name-dut-[").removesuffix("]"))
                elif (line == link.READY and len(names) == asked) or time.monotonic() > end:
                    break
            if names:
                if asked > 1:
                    self.drain()
                self._in_step = True
                return names[-1]
        raise self._silent(heard)

    def _silent(self, heard: str) -> LinkError:
        return LinkError(
            f"No rbnn firmware answers on {self.path}"
            + (f" (it said {heard!r})." if heard else " (silence)."),
            "Check board and port, power-cycle the board, or write the firmware: rbnn flash",
        )

    def distrust(self) -> None:
        """Before the next command, get back into step: answers to others may be on their way."""
        self._in_step = False

    def give_up(self) -> None:
        """End the command whose answer nobody waits for, whether it runs or is half typed.

        Raises:
            LinkError: the board was unplugged or does not accept data.
        """
        self.distrust()
        self.write((UNREADABLE + link.COMMAND_END).encode())

    def realign(self, timeout_s: float = SYNC_TIMEOUT_S) -> None:
        """Get back into step after bytes were lost or damaged, or an answer was given up.

        A half line that the device holds is made unreadable, so that it is not run. Then the
        device is asked to expect a random number of bytes: what it says before that number belongs
        to earlier commands. The device's buffer is empty afterwards.

        Args:
            timeout_s: how long the device may still be busy.

        Raises:
            LinkError: nothing answers in this grammar.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            size = random.randint(1, link.INPUT_BUFFER_BYTES)
            commands = (UNREADABLE, f"db load {size}", UNREADABLE)  # the last empties the buffer
            self.write("".join(command + link.COMMAND_END for command in commands).encode())
            ready = -1
            while (line := self.read_line(SYNC_TRY_S)) is not None and time.monotonic() < end:
                if line == f"m-[Expecting {size} bytes]":
                    ready = 0
                elif ready >= 0 and line == link.READY:
                    ready += 1
                if ready == 2:
                    self._in_step = True
                    return
        raise self._silent("")

    def ask(
        self, command: str, timeout_s: float = COMMAND_TIMEOUT_S, first_s: float | None = None
    ) -> tuple[str, ...]:
        """Send one command and return its whole answer.

        Args:
            command: without its ``%``.
            timeout_s: longest silence before the next line.
            first_s: before the first one, if a device says that before it begins to work.

        Returns:
            The lines before ``m-ready``.

        Raises:
            DeviceError: the device answered ``e-[...]``.
            LinkError: it fell silent.
        """
        lines = tuple(line for line in self.exchange(command, timeout_s, first_s) if line)
        for line in lines:
            if line.startswith("e-"):
                raise from_error_line(line, redact(command))
        return lines[:-1]

    def exchange(
        self, command: str, timeout_s: float = COMMAND_TIMEOUT_S, first_s: float | None = None
    ) -> Iterator[str]:
        """Send one command; yield the lines of its answer as they arrive, ``m-ready`` last.

        Raises:
            LinkError: it cannot be sent as one command, or the device fell silent or does not end
                its answer.
        """
        raw = command.encode(errors="surrogateescape")
        if len(raw) > link.MAX_COMMAND_BYTES or link.COMMAND_END in command:
            raise LinkError(
                f"`{redact(command)[:40]}` cannot be sent: a command has at most "
                f"{link.MAX_COMMAND_BYTES} bytes and no {link.COMMAND_END}.",
                "Send it in shorter commands; db takes the data of an input in several.",
            )
        if not self._in_step:
            self.realign()
        self._pending = b""
        self._drop_waiting()  # whatever a restart has printed since the last answer
        self._in_step = False
        self.write(raw + link.COMMAND_END.encode())
        for number in range(MAX_LINES):
            wait_s = timeout_s if first_s is None or number else first_s
            line = self.read_line(wait_s)
            if line is None:
                raise NoiseError(
                    f"No answer to `{redact(command)}` on {self.path} for {wait_s:g} s.",
                    "Power-cycle the board and try again (emulated: rbnn board cycle).",
                )
            self._in_step = line == link.READY
            yield line
            if self._in_step:
                return
        raise self._babble(f"an answer without end to `{redact(command)}`")
