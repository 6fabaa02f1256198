"""The serial line: 115200 baud, 8N1; ASCII commands ended by ``%``, answers ended by CR LF.

The grammar is that of the MLPerf Tiny benchmark runner (mlcommons/tiny, ``benchmark/api``): every
command is answered with ``m-ready``; a failure prints ``e-[name: text]`` before it. CR and LF
between commands are skipped, so a line can be typed in any terminal. The commands are listed once,
here; the firmware's dispatcher, ``help%`` and SPEC.md follow this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

BAUD = 115200
COMMAND_END = "%"
MAX_COMMAND_BYTES = 1100
"""Longest command without its ``%``. The benchmark's runner stays below 80."""
MAX_LOAD_BYTES_PER_COMMAND = 512
"""Bytes that the host sends in one ``db`` command (two hex digits each)."""
INPUT_BUFFER_BYTES = 8192
"""Least size of the buffer that ``db load`` fills; a larger input of the model has a larger one."""
MAX_INFERENCES = 50_000
"""Most timed inferences, and most warm-ups, of one ``infer``; a byte that arrives ends it early."""
HEX_BYTES_PER_LINE = 32
"""Bytes in one line of a long hex answer."""
READY = "m-ready"
INIT_DONE = "m-init-done"
PROFILE = "RBNN firmware"


class Protection(StrEnum):
    """Whether a debug probe reaches a board's flash and RAM."""

    NONE = "none"
    """The chip, or its emulation, has no such protection."""
    OPEN = "open"
    """Both are open to any probe (RDP level 0 of an STM32)."""
    FLASH = "flash"
    """The flash is closed, the RAM is not (RDP level 1)."""
    CHIP = "chip"
    """Both are closed; whoever erases all of the chip opens it (APPROTECT of an nRF52)."""
    PERMANENT = "permanent"
    """Debugging is off for ever (RDP level 2)."""


class Benchmark(IntEnum):
    """The MLPerf Tiny benchmark that a task stands for, named as the runner names it."""

    NONE = 0
    IC01 = 1
    """Image classification."""
    KWS01 = 2
    """Keyword spotting."""

    @property
    def text(self) -> str:
        """As it is typed and printed."""
        return self.name.lower()


BENCHMARKS = tuple(one.text for one in Benchmark)
"""Their texts, by number."""


@dataclass(frozen=True)
class Command:
    """One word of the grammar.

    The firmware serves it in ``rbnn_link_<word>``; ``answer`` lists the lines that come before
    ``m-ready`` on success. A release build has no command that is ``for_development``; a firmware
    whose model has no task with an audio front end has none that is ``for_sound``; one whose model
    is compiled in has none that is ``for_partition``.
    """

    word: str
    arguments: str
    doc: str
    answer: tuple[str, ...]
    for_development: bool = False
    for_sound: bool = False
    for_partition: bool = False

    @property
    def text(self) -> str:
        """What ``help`` prints after the word, but the colon if there are no arguments."""
        return f" {self.arguments}: {self.doc}" if self.arguments else self.doc


COMMANDS = (
    Command("name", "", "Print the name of the device", ("m-name-dut-[<board>]",)),
    Command("timestamp", "", "Print the time since start", ("m-lap-us-<us>",)),
    Command(
        "profile",
        "",
        "Print firmware and model",
        ("m-profile-[<firmware>]", "m-model-[<benchmark or architecture>]"),
    ),
    Command("help", "", "Print this list", ("one line per command",)),
    Command(
        "db",
        "load N | HEX... | print",
        "Announce N bytes, load them, or print the buffer",
        ("m-[Expecting <n> bytes]", "m-load-done after the last byte", "m-buffer-<hex>-..."),
    ),
    Command("crc", "", "Print the CRC-32 of the loaded buffer", ("m-crc-[<8 hex>]",)),
    Command(
        "infer",
        "N [W]",
        f"Run W warm-up and N timed inferences on the buffer, at most {MAX_INFERENCES} each",
        (
            "m-warmup-start-<W>",
            "m-warmup-done",
            "m-infer-start-<N>",
            "m-lap-us-<us>",
            "m-lap-us-<us>",
            "m-infer-done",
            "m-results-[<score>,...]",
        ),
    ),
    Command(
        "audio",
        "start [PPM] | N | stop",
        "In firmware with a task that takes sound: begin to listen, take the loaded buffer as the "
        "next N samples, or forget them",
        (
            "m-detected-[<first sample of the second>,<class>,<score>]",
            "m-audio-[<samples>,<columns>,<inferences>,<us of the front end>,<us of the network>]",
        ),
        for_sound=True,
    ),
    Command("results", "", "Print the last scores again", ("m-results-[<score>,...]",)),
    Command(
        "labels",
        "",
        "Print the active task's input and class names",
        (
            "m-input-[<height>,<width>,<channels>]",
            "m-series-[<window>,<hop>]",
            "m-channel-[<number>,<mean 8 hex>,<factor 8 hex>]",
            "m-label-[<number>,<name>]",
        ),
    ),
    Command(
        "trace",
        "",
        "In development builds: run one inference; print time and output CRC-32 of every layer",
        (
            "m-layer-[<number>,<operator>,<ticks>,<8 hex>]",
            "m-results-[<score>,...]",
            "m-ticks-hz-[<ticks per second>]",
        ),
        for_development=True,
    ),
    Command(
        "id",
        "",
        "Print what identifies board, firmware, model and device",
        (
            "m-firmware-[<version>]",
            "m-build-[release|development]",
            "m-board-[<board>]",
            f"m-protection-[{'|'.join(Protection)}]",
            "m-model-id-[<32 hex>]",
            "m-model-digest-[<64 hex>]",
            "m-puf-[fresh|enrolled|power-cycle|damaged]",
            "m-public-[<64 hex>] once enrolled",
        ),
    ),
    Command(
        "enroll",
        "",
        "Make helper data from the power-up pattern",
        ("m-helper-[<offset>,<hex>] ...", "m-public-[<64 hex>]", "m-sign-public-[<64 hex>]"),
    ),
    Command(
        "tasks",
        "",
        "List the tasks and their state",
        ("m-task-[<number>,<name>,<classes>,unlicensed|locked|unlocked|active]",),
    ),
    Command(
        "licences",
        "",
        "List the licences that this device holds",
        ("m-licence-[<slot>,<task>,<id 32 hex>,<sequence>,flash|ram|other-model]",),
    ),
    Command(
        "licence",
        "",
        "Take the loaded buffer as a licence until power-off",
        ("m-licence-[<slot>,<task>,<id 32 hex>,<sequence>,ram]",),
    ),
    Command(
        "revoke",
        "",
        "Take the loaded buffer as a notice that revokes a task's licences",
        ("m-revoked-[<task>,<first sequence that is still accepted>]",),
    ),
    Command(
        "model",
        "show | load | replace | OFFSET | end | stop",
        "In firmware with a model partition: print what it holds; take the loaded buffer as the "
        "header of a new model (replace: instead of the one that is there), or as its bytes from "
        "OFFSET on; make the loaded model the one of the next start, or drop it",
        (
            "m-partition-[<address 8 hex>,<bytes>,<bytes of a sector>,writable|read-only]",
            "m-model-key-[<64 hex>]",
            "m-model-most-[<arena>,<work>,<params>,<tasks>]",
            "m-model-version-[<version>]",
            "m-model-load-[<bytes>,<of bytes>,keeps|replaces]",
            "m-model-loaded-[<version>]",
        ),
        for_partition=True,
    ),
    Command(
        "attest",
        "CHALLENGE",
        "Sign what this device is",
        ("m-statement-[<280 hex>]", "m-attest-[<128 hex>]"),
    ),
    Command(
        "release",
        "TASK CHALLENGE",
        "Give up the task's licence for good, and sign that",
        ("m-statement-[<280 hex>]", "m-attest-[<128 hex>]"),
    ),
    Command(
        "unlock",
        "TASK PSK",
        "Open the task's licence with its key (64 hex digits)",
        ("m-unlocked-[<task>]",),
    ),
    Command(
        "switch",
        "TASK",
        "Make an unlocked task the active one",
        ("m-active-[<task>]", "m-lap-us-<us> before and after"),
    ),
    Command("lock", "", "Wipe every task secret and key", ("m-locked",)),
    Command("selftest", "", "Check crypto, sketch and container", ("m-selftest-[<part>,ok] ...",)),
    Command(
        "stack",
        "",
        "Print the most stack used",
        ("m-stack-[<used bytes>,<reserved bytes>]",),
    ),
    Command(
        "reset",
        "",
        "Restart without losing power",
        ("m-resetting; then the boot lines",),
    ),
)
