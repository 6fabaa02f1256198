"""Building and uploading with PlatformIO and the repository's own development platform."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from rbnn import monocypher
from rbnn.container.parse import parse
from rbnn.files import write_atomic
from rbnn.image import project, watched
from rbnn.image.board import Board
from rbnn.image.build_errors import first_error as first_error
from rbnn.image.build_errors import raise_overflow
from rbnn.image.build_result import BuildResult as BuildResult
from rbnn.image.errors import BoardError, BuildError, PublishedModelError
from rbnn.image.memory import CONFIG_FILE, MemoryPlan, plan_folder, write_config
from rbnn.image.toolchain import prepare_core, require, require_toolchain
from rbnn.image.workplace import workplace
from rbnn.places import alone, build_cache

ALLOW_TEST_ONLY = "RBNN_ALLOW_TEST_ONLY"
"""Environment variable without which the firmware refuses a model whose keys are published."""
DEVELOPMENT = "RBNN_DEVELOPMENT"
"""Environment variable that makes a development build, whose `trace` shows every layer."""
MONOCYPHER = "RBNN_MONOCYPHER_DIR"
"""Environment variable that says where Monocypher's C files are, if not in firmware/."""
PARTITION = "RBNN_PARTITION"
"""Environment variable that makes a build whose model has a partition of its own."""
KEY_FILE = "model_key.h"
"""In such a build: the key of the provider whose models the firmware takes."""
PROBE_SERIAL = "RBNN_PROBE_SERIAL"
"""Environment variable that tells the upload which debug probe to use."""
Tell = Callable[[str], object]
_INHERITED = {
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
}
"""What a build inherits besides RBNN_*: where programs are, and how to reach the network. Flags and
search paths of compilers, of SCons, of PlatformIO and of Python would change what is built."""


def build_folder(board: Board) -> Path:
    """The folder in which ``board``'s firmware is built."""
    return workplace().cache / "build" / board.name


def objects_folder() -> Path:
    """The folder of objects that any build with the same text and flags takes: a development build
    and a release build take turns in one build folder."""
    return workplace().cache / "objects"


def memory_folder(board: Board) -> Path:
    """The folder of ``model_memory.h`` for the model that is being built for ``board``."""
    # PlatformIO empties its build folder whenever the project changes.
    return workplace().cache / "memory" / board.name


def _prepare(board: Board, model: Path | None, partition: bytes | None) -> MemoryPlan | None:
    """Divide the board's RAM, and write the result and the key where the compiler reads them."""
    key = memory_folder(board) / KEY_FILE
    if partition is None:
        key.unlink(missing_ok=True)
    else:
        text = ", ".join(f"0x{byte:02x}" for byte in partition)
        write_atomic(key, f"#define RBNN_MODEL_KEY {{{text}}}\n")
    memory = None if model is None else plan_folder(board, model)
    if memory is not None:
        write_config(memory, memory_folder(board))
    else:
        (memory_folder(board) / CONFIG_FILE).unlink(missing_ok=True)
    return memory


def _environment(
    board: Board, model: Path | None, development: bool, partition: bytes | None
) -> dict[str, str]:
    """Variables of the PlatformIO process: chosen, so that a user's own change no build."""
    place = workplace()
    # A folder that does not exist builds the firmware without a model.
    no_model = build_folder(board) / "no-model"
    environment = {name: value for name, value in os.environ.items() if _is_kept(name)}
    environment |= {
        "PLATFORMIO_CORE_DIR": str(prepare_core()),
        "PLATFORMIO_WORKSPACE_DIR": str(place.cache / "pio"),
        "PLATFORMIO_BUILD_DIR": str(build_folder(board)),
        "PLATFORMIO_BUILD_CACHE_DIR": str(objects_folder()),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "100000",
        "PLATFORMIO_NO_ANSI": "yes",
        "PYTHONDONTWRITEBYTECODE": "1",  # beside the platform's files, which are only read
        "RBNN_MODEL_DIR": str(place.named_plainly(model) if model else no_model),
        "RBNN_MEMORY_DIR": str(memory_folder(board)),
        **project.prepare(board).variables(),
        MONOCYPHER: str(place.named_plainly(monocypher.folder())),
    }
    for name in (ALLOW_TEST_ONLY, DEVELOPMENT, PARTITION, PROBE_SERIAL):
        environment.pop(name, None)
    if is_published(model):  # build() has checked that this is wanted
        environment[ALLOW_TEST_ONLY] = "1"
    if development:
        environment[DEVELOPMENT] = "1"
    if partition is not None:
        environment[PARTITION] = "1"
    return environment


def _is_kept(name: str) -> bool:
    """Whether a build inherits a variable of the user's."""
    return name in _INHERITED or name.startswith("RBNN_")


def is_published(model: Path | None) -> bool:
    """Whether an export folder holds a model whose keys are published."""
    path = None if model is None else model / "container.bin"
    return path is not None and path.is_file() and parse(path.read_bytes()).is_test_only


def _command(board: Board, target: str | None, verbose: bool) -> list[str]:
    command = [sys.executable, "-P", "-m", "platformio", "run"]
    made = project.prepare(board)
    command += ["--project-dir", str(workplace().project)]
    command += ["--project-conf", str(made.configuration), "--environment", made.environment]
    command += ["--target", target] if target else []
    return command + (["--verbose"] if verbose else [])


def _alone() -> AbstractContextManager[None]:
    """Reserve the build folders for this process: PlatformIO does not lock them itself."""
    return alone(workplace().cache, "build")


def _run(
    command: list[str], environment: Mapping[str, str], log: Path, tell: Tell | None = None
) -> None:
    """Run PlatformIO and keep its log; if it fails, raise the first error in its output."""
    code, said = watched.run(command, environment=environment, tell=tell)
    write_atomic(log, said)
    if code:
        raise BuildError(f"PlatformIO failed: {first_error(said)}", f"Read the whole log: {log}")


def build(
    board: Board,
    model: Path | None = None,
    *,
    verbose: bool = False,
    test_only: bool = False,
    development: bool = False,
    partition: bytes | None = None,
) -> BuildResult:
    """Compile and link the firmware.

    The result is in ``model/firmware/<board>``, or ``<board>-development``; without a model, in the
    cache. So no process gets the image of another kind that a second one builds meanwhile.

    Args:
        board: the board.
        model: folder with the exported C array and ``model_config.h``; None builds a firmware
            without a model.
        verbose: also log the compilers' command lines.
        test_only: accept a model whose keys are published (``rbnn.spec.published``).
        development: with the commands that show what happens inside.
        partition: build for a model in a partition of its own, one like ``model`` that is signed
            with this key of the provider's (:func:`rbnn.keys.models.signed.verifying_key`).

    Raises:
        BoardError: the board has no such partition.
        PublishedModelError: the model's keys are published, and ``test_only`` is not set.
        ToolError: the compiler is not installed.
        FitError: the image does not fit; the message holds the numbers.
        BuildError: it does not compile or link; the message holds the compiler's first error.
    """
    require_toolchain()
    if partition is not None and (board.model is None or model is None):
        raise BoardError(
            f"Board {board.name} has no partition for a model.",
            "Add rbnn.model to its manifest and to its linker script: docs/model-update.md; or "
            "omit --partition.",
        )
    if model is not None and not (model / "model_config.h").is_file():
        raise BuildError(
            f"{model} holds no exported model (model_config.h is missing).",
            "Export it first: rbnn export RUN",
        )
    if is_published(model) and not test_only:
        raise PublishedModelError(
            f"The keys of the model in {model} are TEST-ONLY: published, they protect nothing.",
            "For a test, add --test-only; to protect something, train a model: rbnn train",
        )
    monocypher.provide()
    log = build_folder(board) / "build.log"
    made = build_folder(board) / board.name
    with _alone():
        memory = _prepare(board, model, partition)
        environment = _environment(board, model, development, partition)
        try:
            _run(_command(board, None, verbose), environment, log)
        except BuildError:
            raise_overflow(log.read_text(), board, partition is not None)
            raise
        # The next build for this board, perhaps by another process, overwrites its folder.
        kept = build_cache() / "bare" if model is None else model / "firmware"
        kind = "-partition" if partition else ""
        kept /= board.name + kind + ("-development" if development else "")
        for name in ("firmware.elf", "firmware.bin", "firmware.map"):
            write_atomic(kept / name, (made / name).read_bytes())
        made = kept
    elf, image, linked = (made / f"firmware.{kind}" for kind in ("elf", "bin", "map"))
    return BuildResult(board, elf, image, linked, log, memory, development, partition)


def upload_commands(
    board: Board,
    model: Path | None,
    probe: str,
    *,
    development: bool = False,
    partition: bytes | None = None,
) -> list[str]:
    """The commands that :func:`upload` runs, as lines for a shell.

    Args:
        board: a board with an OpenOCD script.
        model: as for :func:`build`.
        probe: USB serial number of its debug probe.
        development: as for :func:`build`.
        partition: as for :func:`build`.
    """
    shown = [
        *(f"PLATFORMIO_{one}_DIR" for one in ("CORE", "WORKSPACE", "BUILD", "BOARDS")),
        *(project.BOARD_FOLDER, "RBNN_MODEL_DIR", "RBNN_MEMORY_DIR"),
    ]
    environment = _environment(board, model, development, partition)
    environment[PROBE_SERIAL] = probe
    settings = [
        f"{name}={shlex.quote(environment[name])}"
        for name in (*shown, MONOCYPHER, PROBE_SERIAL, ALLOW_TEST_ONLY, DEVELOPMENT, PARTITION)
        if name in environment
    ]
    return [" ".join([*settings, shlex.join(_command(board, "upload", False))])]


def upload(
    board: Board,
    model: Path | None,
    probe: str,
    *,
    verbose: bool = False,
    development: bool = False,
    partition: bytes | None = None,
    tell: Tell | None = None,
) -> Path:
    """Write the image to a board with PlatformIO's upload target (OpenOCD).

    Args:
        board: a board with an OpenOCD script.
        model: as for :func:`build`.
        probe: USB serial number of its debug probe: with two boards, OpenOCD would take either.
        verbose: also log OpenOCD's command line.
        development: as for :func:`build`.
        partition: as for :func:`build`.
        tell: given each step that OpenOCD announces.

    Returns:
        The log file.

    Raises:
        ToolError: OpenOCD or the compiler is not installed.
        BuildError: the build or the upload failed.
    """
    if board.openocd_script is None:
        raise BuildError(
            f"Board {board.name} is emulated: there is nothing to upload to.",
            "Write to it with: rbnn flash --board " + board.name,
        )
    require("openocd")
    require_toolchain()
    log = build_folder(board) / "upload.log"
    try:
        with _alone():
            _prepare(board, model, partition)
            environment = _environment(board, model, development, partition)
            environment[PROBE_SERIAL] = probe
            _run(_command(board, "upload", verbose), environment, log, tell)
    except BuildError as error:
        raise BuildError(
            f"The upload to {board.title} failed: {first_error(log.read_text())}",
            "Plug in the board's debug connector and close other programs (such as a debugger) "
            f"that use it; the whole log is in {log}.",
        ) from error
    return log
