"""Commands over a line that may damage bytes: repeated and compared, or an error with a name.

The grammar has a check of its own only for what is loaded (``crc``). So an answer that can be asked
for again is asked for until the same answer has come twice. A command that changes something is
sent again only if the board has refused it, in words that a damaged command gets; if its answer is
damaged, nobody can know whether the board has run it, and the caller is told that.
"""

from __future__ import annotations

import binascii

from rbnn.device.answers import Answer
from rbnn.device.errors import DeviceError, NoiseError
from rbnn.device.line import COMMAND_TIMEOUT_S, SerialLine, redact
from rbnn.spec import link
from rbnn.spec.status import Status

TRIES = 6
"""How often a command is sent at most."""
LOAD_TRIES = 8
QUERY_TIMEOUT_S = 5.0
"""Longest silence in the answer to a query, which takes the device no time; then it is repeated."""
_UNREAD = (
    *(None, Status.UNKNOWN_COMMAND, Status.ARGUMENT, Status.LINE_TOO_LONG, Status.OVERRUN),
    *(Status.UNKNOWN_TASK, Status.BUFFER_SIZE, Status.LICENCE_REFUSED),
)
"""What a device may say to a command that arrived damaged; it has then done nothing."""


class Asking:
    """Commands and answers of one board.

    Args:
        line: a line that is synchronised.
    """

    def __init__(self, line: SerialLine) -> None:
        self.line = line

    def ask(
        self,
        command: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        *,
        first_s: float | None = None,
        data: bytes | None = None,
    ) -> Answer:
        """Send a command; again if it arrived damaged.

        Args:
            command: without its ``%``.
            timeout_s: longest silence before the next line.
            first_s: before the first one, if a device says that before it begins to work.
            data: what the device's buffer must hold for it.

        Raises:
            DeviceError: the device refuses it, the second time in the same words.
            NoiseError: the answer is damaged; the device may have run the command.
            LinkError: the board was unplugged.
        """
        said: tuple[Status | None, str] | None = None
        for _ in range(TRIES):
            if data is not None:
                self.load(data)
            try:
                return self._once(command, timeout_s, first_s)
            except DeviceError as error:
                lost = data is not None and error.status is Status.BUFFER_INCOMPLETE
                if command.startswith("db ") and not command.startswith("db load "):
                    raise  # a part of a load, which is over
                if (error.status, error.text) == said or not (lost or error.status in _UNREAD):
                    raise
                said = error.status, error.text
                self.line.realign()
        raise self._damaged(command)

    def query(
        self, command: str, timeout_s: float = QUERY_TIMEOUT_S, *, heard: str | None = None
    ) -> Answer:
        """Ask for what does not change, until the same answer has come twice.

        Args:
            command: changes nothing on the device.
            timeout_s: longest silence before the next line.
            heard: the answer, if it was given once already.

        Raises:
            DeviceError: the device refuses it, twice in the same words.
            LinkError: the board was unplugged, is silent, or the line damages every answer.
        """
        answers = [] if heard is None else [heard]
        for _ in range(TRIES):
            refusal = None
            try:
                answer = self._once(command, timeout_s)
                said = "\n".join(answer.lines)
            except DeviceError as error:
                refusal, said = error, f"e-{error.status} {error.text}"
            except NoiseError:
                self.line.realign()
                timeout_s = max(timeout_s, COMMAND_TIMEOUT_S)
                continue
            if said in answers:
                if refusal is not None:
                    raise refusal
                return answer
            if answers or refusal is not None:
                self.line.realign()
            answers.append(said)
        raise self._damaged(command)

    def load(self, data: bytes) -> None:
        """Fill the device's buffer and check its CRC-32; damaged data is sent again.

        Raises:
            DeviceError: the buffer is too small.
            LinkError: the data is damaged every time.
        """
        for _ in range(LOAD_TRIES):
            if self._load_once(data):
                return
            self.line.realign()
        raise NoiseError(
            f"{self.line.path} damages data: {len(data)} bytes arrived wrong {LOAD_TRIES} times.",
            "Check the cable and the hub; the line runs at 115200 baud.",
        )

    def _load_once(self, data: bytes) -> bool:
        self.ask(f"db load {len(data)}")
        step = link.MAX_LOAD_BYTES_PER_COMMAND
        try:
            for start in range(0, len(data), step):
                self._once(f"db {data[start : start + step].hex()}", COMMAND_TIMEOUT_S)
            answer = self._once("crc", COMMAND_TIMEOUT_S)
            return answer.number(answer.one("crc"), 16) == binascii.crc32(data)
        except (DeviceError, NoiseError):  # further loads show whether it is more than noise
            return False

    def _once(self, command: str, timeout_s: float, first_s: float | None = None) -> Answer:
        """Send one command.

        Raises:
            DeviceError: the device refuses it.
            NoiseError: it is silent, or its answer holds what no device says.
        """
        lines = self.line.ask(command, timeout_s, first_s)
        if all(line.startswith("m-") and line.isprintable() for line in lines):
            return Answer(redact(command), lines, self.line.distrust)
        raise self._damaged(command)

    def _damaged(self, command: str) -> NoiseError:
        self.line.distrust()
        return NoiseError(
            f"{self.line.path} damages data: the answer to `{redact(command)}` cannot be read.",
            "Check the cable and the hub; the line runs at 115200 baud. What the board has done is "
            "told by: rbnn board status",
        )
