"""A device at the far end of a pseudo terminal that answers from a script."""

from __future__ import annotations

import os
import pty
import select
import termios
import threading
import tty
from collections.abc import Callable, Mapping

from rbnn.device.line import UNREADABLE

Answer = str | list[str] | Callable[[str], "str | list[str] | None"]


class ScriptedDevice:
    """Answers each command with its lines and ``m-ready``.

    Args:
        answers: by the whole command, otherwise by its first word; a list's members are given one
            after the other, the last one repeatedly; a function gets the command; None is silence.
            How an inference starts, and ``results``, may be left out.
        raw: bytes to send as soon as the device exists.
    """

    def __init__(self, answers: Mapping[str, object], raw: bytes = b"") -> None:
        self.answers = {"name": "m-name-dut-[qemu]", "": "", "results": self._results, **answers}
        self.received: list[str] = []
        self._turns: dict[str, int] = {}
        self._said_scores = ""
        self._aligning = self._aligned_once = False
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self._stop = threading.Event()
        os.write(self._master, raw)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        while self._thread.is_alive():
            termios.tcflush(self._slave, termios.TCIFLUSH)  # it may be waiting for room
            self._thread.join(0.05)
        os.close(self._master)
        os.close(self._slave)

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def _run(self) -> None:
        pending = b""
        while not self._stop.is_set():
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            pending += os.read(self._master, 4096)
            while b"%" in pending:
                head, _, pending = pending.partition(b"%")
                command = head.decode(errors="replace").strip("\r\n")
                reply = self._aligned(command)
                if reply is None:
                    self.received.append(command)
                    reply = self._reply(command)
                if reply is not None:
                    lines = "".join(f"{line}\r\n" for line in reply.split("\n") if line)
                    os.write(self._master, (lines + "m-ready\r\n").encode())

    def _aligned(self, command: str) -> str | None:
        """What a device says to a host that gets back into step; None to anything else."""
        if command.endswith(UNREADABLE):
            self.received.append(UNREADABLE)
            self._aligning = not self._aligned_once
            self._aligned_once = False
            return "e-[unknown-command: unknown command; help% lists the commands]"
        if self._aligning and command.startswith("db load "):
            self._aligning, self._aligned_once = False, True
            return f"m-[Expecting {command.split()[2]} bytes]"
        self._aligning = self._aligned_once = False
        return None

    def _results(self, command: str) -> str:
        return self._said_scores or "e-[no-active-task: no task is active]"

    def _reply(self, command: str) -> str | None:
        key = command if command in self.answers else command.split(" ")[0]
        answer = self.answers.get(key, "e-[unknown-command: unknown command; help% lists them]")
        if isinstance(answer, list):
            turn = self._turns.get(key, 0)
            self._turns[key] = turn + 1
            answer = answer[min(turn, len(answer) - 1)]
        if callable(answer):
            answer = answer(command)
        assert answer is None or isinstance(answer, str)
        for line in (answer or "").split("\n"):
            if line.startswith("m-results-["):
                self._said_scores = line
        if key == "infer" and answer and "m-results" in answer and "m-infer-start" not in answer:
            return f"m-infer-start-{command.split(' ')[1]}\n{answer}"
        return answer
