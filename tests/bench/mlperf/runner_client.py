"""A client as strict as the MLPerf Tiny runner: its commands in its order, its time limits, what it
takes from the answers; and stricter than it where it looks away (line ends, order, stray text)."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import serial

COMMAND_S = 5.0
"""The longest wait for a line of an answer."""
INFER_S = 30.0
"""The same for ``infer``: warm-ups and timed inferences print nothing while they run."""
BYTES_A_LINE = 31
NAME = re.compile(r"m-name-dut-\[([^]]+)]")
PROFILE = re.compile(r"m-(model|profile)-\[([^]]+)]")
RESULTS = re.compile(r"m-results-\[([^]]+)\]")
LAP = re.compile(r"m-lap-us-([0-9]+)")


@dataclass(frozen=True)
class Answer:
    """What the runner keeps of one ``infer``."""

    scores: tuple[float, ...]
    elapsed_us: int


class RunnerClient:
    """The runner's end of the line. It never asks twice, and never waits for the board to be ready.

    Args:
        path: of the serial port.
    """

    def __init__(self, path: str) -> None:
        self._port = serial.Serial(path, 115200, timeout=0.1)

    def __enter__(self) -> RunnerClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._port.close()

    def ask(self, command: str, limit_s: float = COMMAND_S) -> list[str]:
        """The lines of an answer, but the last one, which must be ``m-ready``."""
        assert len(command) < 80
        self._port.write(f"{command}%".encode())
        lines: list[str] = []
        while True:
            line = self._read_line(limit_s, command)
            if line == "m-ready":
                return lines
            assert "m-ready" not in line, "the runner would take this for the end"
            lines.append(line)

    def _read_line(self, limit_s: float, command: str) -> str:
        end = time.monotonic() + limit_s
        raw = b""
        while not raw.endswith(b"\n"):
            assert time.monotonic() < end, f"no line within {limit_s} s after {command!r}: {raw!r}"
            raw += self._port.read(1)
        assert raw.endswith(b"\r\n") and raw.count(b"\r") == 1, raw
        return raw[:-2].decode("ascii")

    def identify(self) -> tuple[str, dict[str, str]]:
        """The board's name; then what it says of profile and model."""
        (name,) = (match.group(1) for match in self._all(NAME, self.ask("name")))
        found = self._all(PROFILE, self.ask("profile"))
        return name, {match.group(1): match.group(2) for match in found}

    @staticmethod
    def _all(pattern: re.Pattern[str], lines: Sequence[str]) -> list[re.Match[str]]:
        found = [pattern.fullmatch(line) for line in lines]
        assert all(found), f"the runner knows nothing of {lines}"
        return [match for match in found if match]

    def load(self, data: bytes) -> None:
        """Announce a sample, and send it in short lines."""
        assert self.ask(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for start in range(0, len(data), BYTES_A_LINE):
            part = data[start : start + BYTES_A_LINE]
            last = start + BYTES_A_LINE >= len(data)
            assert self.ask(f"db {part.hex()}") == (["m-load-done"] if last else [])

    def infer(self, inferences: int, warm_ups: int) -> Answer:
        """Time inferences on the sample that was loaded last."""
        lines = self.ask(f"infer {inferences} {warm_ups}", INFER_S)
        shape = [re.sub(r"(lap-us-)\d+|(results-\[).*]", r"\1\2", line) for line in lines]
        assert shape == [
            f"m-warmup-start-{warm_ups}",
            "m-warmup-done",
            f"m-infer-start-{inferences}",
            "m-lap-us-",
            "m-lap-us-",
            "m-infer-done",
            "m-results-[",
        ]
        start, end = (int(match.group(1)) for match in map(LAP.fullmatch, lines) if match)
        (scores,) = (match.group(1) for match in map(RESULTS.fullmatch, lines) if match)
        return Answer(tuple(float(text) for text in scores.split(",")), end - start)


def read_dataset(folder: Path) -> list[tuple[bytes, int, int]]:
    """Bytes, number of classes and class of every sample, found as the runner finds them."""
    fields = ["file", "classes", "class", "bytes_to_send", "stride"]
    with (folder / "y_labels.csv").open() as file:
        rows = list(csv.DictReader(file, fieldnames=fields))
    return [
        ((folder / row["file"]).read_bytes(), int(row["classes"]), int(row["class"]))
        for row in rows
    ]
