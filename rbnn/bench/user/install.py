"""``make bench-install``: from a wheel to the first inference, as docs/install.md tells it."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rbnn.bench.user.commands import Ran, run
from rbnn.bench.user.sizes import Sizes, sizes
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.pages.table import Table

STEPS = (
    ("rbnn", "keys", "new", "user", "keys/user.key"),
    ("rbnn", "flash", "--test-only", "--user-key=keys/user.key"),
    ("rbnn", "switch", "kws", "--user-key=keys/user.key"),
    ("rbnn", "infer", "sample.wav"),
)
"""What docs/install.md has the user do, once rbnn is installed."""
REPEATED = (
    ("rbnn", "switch", "mnist", "--user-key=keys/user.key"),
    ("rbnn", "switch", "kws", "--user-key=keys/user.key"),
    ("rbnn", "switch", "kws"),
    ("rbnn", "infer", "sample.wav"),
    ("rbnn", "board", "status"),
)
"""What a user gives again and again."""
LARGEST = 12
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PIP_INDEX_URL", "PIP_CONFIG_FILE")


@dataclass(frozen=True)
class Measured:
    """What one installation took.

    Args:
        steps: all commands, in order.
        repeated: further runs of those of :data:`REPEATED`.
        used: the environment after that.
        compiled: the same with byte code of everything, as pip makes it without ``--no-compile``.
    """

    steps: tuple[Ran, ...]
    repeated: tuple[tuple[Ran, ...], ...]
    used: Sizes
    compiled: Sizes


def measure(wheel: Path, constraints: Path, folder: Path, repeats: int) -> Measured:
    """Install a wheel into a new environment below ``folder``, and use it there.

    Raises:
        RbnnError: a command fails.
    """
    environment, work = folder / "environment", folder / "work"
    work.mkdir(parents=True)
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ}
    variables |= {"HOME": str(folder / "home"), "RBNN_CACHE": str(folder / "cache")}
    python = str(environment / "bin" / "python")
    install = ["-m", "pip", "install", "--quiet", "--no-compile", "--no-cache-dir"]
    steps = [
        run(
            [sys.executable, "-m", "venv", str(environment)],
            *(work, variables, "python3 -m venv ~/rbnn"),
        ),
        run(
            [python, *install, "--constraint", str(constraints), str(wheel)],
            *(work, variables, f"pip install --no-compile {wheel.name}"),
        ),
    ]
    _write_sample(work / "sample.wav")
    try:
        steps += [_rbnn(environment, words, work, variables) for words in STEPS]
        rounds = [
            [_rbnn(environment, words, work, variables) for words in REPEATED]
            for _ in range(repeats)
        ]
    finally:
        script = environment / "bin" / "rbnn"
        subprocess.run(
            [str(script), "board", "off"], cwd=work, env=variables, capture_output=True, check=False
        )
    (site,) = environment.glob("lib/python*/site-packages")
    used = sizes(site)
    subprocess.run([python, "-m", "compileall", "-q", str(site)], capture_output=True, check=False)
    return Measured(tuple(steps), tuple(zip(*rounds, strict=True)), used, sizes(site))


def _rbnn(
    environment: Path, words: tuple[str, ...], work: Path, variables: Mapping[str, str]
) -> Ran:
    command = [str(environment / "bin" / words[0]), *words[1:]]
    return run(command, work, variables, " ".join(words))


def _write_sample(path: Path) -> None:
    """A second of sound."""
    samples = 9000 * np.sin(np.arange(16_000) * 0.05)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(16_000)
        stream.writeframes(samples.astype("<i2").tobytes())


def page(measured: Measured) -> str:
    """The text of docs/benchmarks/install.md."""
    steps, used, compiled = measured.steps, measured.used, measured.compiled
    total = sum(step.wall_s for step in steps), sum(step.own_s for step in steps)
    table = Table(
        ("command", "seconds", "processor", "of the emulated board"),
        (
            *((f"`{one.words}`", *_seconds(one.wall_s, one.own_s, one.board_s)) for one in steps),
            (f"{len(steps)} commands", *_seconds(*total, sum(one.board_s for one in steps))),
        ),
    )
    waits = Table(
        ("command", "seconds", "processor", "of the emulated board", "beside the board"),
        tuple(
            (
                f"`{runs[0].words}`",
                *_seconds(
                    *(
                        statistics.median(getattr(one, name) for one in runs)
                        for name in ("wall_s", "own_s", "board_s", "beside_s")
                    )
                ),
            )
            for runs in measured.repeated
        ),
    )
    names = used.largest(LARGEST)
    packages = Table(
        ("package", "MB", "byte code in it", "byte code if all is compiled"),
        (
            *((one, *_mb(used, compiled, (one,))) for one in names),
            ("others", *_mb(used, compiled, set(used.code) - set(names))),
            ("all", *_mb(used, compiled, set(used.code))),
        ),
    )
    lines = [
        "# From the wheel to the first inference",
        "",
        "Written by `make bench-install`, on the machine that ran it, which may have been busy.",
        "Seconds are those from start to end; processor time is that of the command and of what it",
        "starts, without the emulated board, whose own is beside it. In a clone, `make wheel`",
        "comes first; programs for emulation and builds are there",
        "([docs/install.md](../install.md#programs)).",
        "",
        table.markdown(),
        "",
        f"On the disk: {used.all / 1e6:,.0f} MB, besides pip and setuptools;",
        f"{compiled.all / 1e6:,.0f} MB if pip compiles all of it (without `--no-compile`).",
        "",
        "## What a user waits for",
        "",
        f"Medians of {len(measured.repeated[0])} runs on a board that is on. The board's time is",
        "that of its emulation: what a real chip needs instead is in",
        "[docs/benchmarks.md](../benchmarks.md).",
        "",
        waits.markdown(),
        "",
        "## What takes the room",
        "",
        "After these commands, with byte code of what they import only.",
        "",
        packages.markdown(),
    ]
    return "\n".join(lines) + "\n"


def _seconds(*values: float) -> tuple[str, ...]:
    return tuple(f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in values)


def _mb(used: Sizes, compiled: Sizes, packages: Iterable[str]) -> tuple[str, str, str]:
    chosen = list(packages)
    return (
        f"{sum(map(used.total, chosen)) / 1e6:.1f}",
        f"{sum(used.byte_code[one] for one in chosen) / 1e6:.1f}",
        f"{sum(compiled.byte_code[one] for one in chosen) / 1e6:.1f}",
    )


def main(arguments: Iterable[str] | None = None) -> int:
    """Entry point of ``python -m rbnn.bench.user.install``."""
    parser = argparse.ArgumentParser(description="Install a wheel, and time its first commands.")
    parser.add_argument("wheel", type=Path, help="As `make wheel` builds it.")
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    parser.add_argument("--repeats", type=int, default=5, help="Of the repeated commands.")
    parser.add_argument("--out", type=Path, help="Markdown file to write; default: print it.")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    try:
        with tempfile.TemporaryDirectory() as temporary:
            text = page(
                measure(
                    chosen.wheel.resolve(),
                    chosen.constraints.resolve(),
                    Path(temporary),
                    chosen.repeats,
                )
            )
        if chosen.out is not None:
            write_atomic(chosen.out, text)
        print(text if chosen.out is None else f"wrote {chosen.out}")
    except RbnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
