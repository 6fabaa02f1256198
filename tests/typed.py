"""Commands as a user types them, each in a process of its own that starts at once.

A server has imported what every command needs and forks for each one, which saves Python's start.
It has no other thread and no TensorFlow.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).resolve().parents[1]
TIMEOUT_S = 300
ROOMS = ("cli", "keys", "device", "flash", "image", "runs", "tasks", "export")


def typed(
    folder: Path,
    *arguments: str,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``rbnn`` in a folder.

    Args:
        folder: where.
        arguments: what follows ``rbnn``.
        stdin: what is typed.
        environment: by default, this process'.
    """
    variables = dict(os.environ if environment is None else environment)
    asked = {"arguments": arguments, "folder": str(folder), "environment": variables}
    with contextlib.ExitStack() as files:
        streams = [files.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        streams[0].write(stdin.encode())
        streams[0].seek(0)
        code = _server().ask(asked, [stream.fileno() for stream in streams])
        for stream in streams:
            stream.seek(0)
        texts = [stream.read().decode() for stream in streams[1:]]
    return subprocess.CompletedProcess(list(arguments), code, *texts)


def typed_here(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``rbnn`` in a folder, in this process: TensorFlow takes seconds to import.

    An error is the exit code only; its text is for :func:`typed`.
    """
    from typer.testing import CliRunner

    from rbnn.cli.main import build
    from rbnn.errors import RbnnError

    with contextlib.chdir(folder):
        done = CliRunner().invoke(build(), arguments)
    error = done.exception
    code = int(error.exit_code) if isinstance(error, RbnnError) else done.exit_code
    return subprocess.CompletedProcess(list(arguments), code, done.stdout, done.stderr)


class _Server:
    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(TIMEOUT_S)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def ask(self, asked: dict[str, Any], streams: list[int]) -> int:
        """Exit code of a command, negative for a signal."""
        question = json.dumps(asked).encode()
        socket.send_fds(self._ours, [len(question).to_bytes(8, "little")], streams)
        self._ours.sendall(question)
        answer = self._ours.recv(4)
        assert len(answer) == 4, "the server of commands has ended"
        return int.from_bytes(answer, "little", signed=True)

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


@functools.cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


def _serve(line: socket.socket) -> None:
    """Answer until the tests have closed the line."""
    _import_all()
    while True:
        size, streams, _, _ = socket.recv_fds(line, 8, 3)
        if not size:
            return
        asked = b""
        while len(asked) < int.from_bytes(size, "little"):
            asked += line.recv(1 << 16)
        child = os.fork()
        if child == 0:
            line.close()
            _become(json.loads(asked), streams)
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(code.to_bytes(4, "little", signed=True))


def _import_all() -> None:
    """Import what commands import, but TensorFlow, whose threads a fork would lose.

    What cannot be imported here is imported by the commands that need it.
    """
    from rbnn.cli import main

    main._start_fast()
    main.build()
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    for room in ROOMS:
        package = importlib.import_module(f"rbnn.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with contextlib.suppress(Exception):
                importlib.import_module(module.name)
    del sys.modules["tensorflow"]
    gc.freeze()  # the forked processes share it


def _become(asked: dict[str, Any], streams: list[int]) -> NoReturn:
    """The command, in the forked process.

    It ends as any other, but without taking apart all that was imported, which takes longer.
    """
    code = 1
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.argv = ["rbnn", *asked["arguments"]]
        importlib.import_module("rbnn.cli.main").run()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
