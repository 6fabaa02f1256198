"""Reads a network of the user's own from a file: Python, which is executed, or JSON."""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from pydantic import ValidationError

from rbnn.nets.architectures import ARCHITECTURES
from rbnn.nets.errors import NetworkError
from rbnn.nets.own.builder import Net
from rbnn.nets.own.document import LAYERS, NetworkDocument, place
from rbnn.nets.own.names import PYTHON, is_network_file
from rbnn.nets.topology import Shape, Topology
from rbnn.spec.layout import NAME_BYTES

FUNCTION = "network"
MODULE = "rbnn_own_network"
"""Name of the user's file as a module while it runs."""
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{NAME_BYTES - 2}}}")


class OwnNetwork:
    """A network that a file describes, for any input and any number of classes.

    Args:
        file: name of the file; without its ending it is that of the network.
        build: describes it to an empty ``Net``.
        start: where the user's file is, at the moment.
    """

    def __init__(self, file: str, build: Callable[[Net], None], start: Callable[[], str]) -> None:
        self.file = file
        self.name = Path(file).stem
        self._build = build
        self._place = start

    def topology(self, input_shape: Shape, max_classes: int) -> Topology:
        """The layers; those that can have 8-bit weights are binary.

        Args:
            input_shape: height, width, channels.
            max_classes: outputs of the last layer.

        Raises:
            NetworkError: with the place in the file, what is wrong and what would fit.
        """
        net = Net(self.name, input_shape, max_classes, self._place)
        self._build(net)
        return net.topology()


def find_network(architecture: str) -> OwnNetwork | None:
    """The network that ``--arch`` names where it is a file; None where it is an architecture.

    Raises:
        NetworkError: see :func:`read_network`.
    """
    return read_network(Path(architecture)) if is_network_file(architecture) else None


def read_network(path: Path) -> OwnNetwork:
    """Read a file; the statements of a Python file are executed, in this process.

    Raises:
        NetworkError: it is missing, or is no such file; names the line.
    """
    if path.stem in ARCHITECTURES:
        raise NetworkError(
            f"{path.name} would give the network the name of rbnn's own {path.stem}.",
            "Rename the file.",
        )
    if not _NAME.fullmatch(path.stem):
        raise NetworkError(
            f"{path.name} cannot name a network: {path.stem!r}.",
            f"Give the file a name of at most {NAME_BYTES - 1} letters, digits, ., - and _.",
        )
    try:
        source = path.expanduser().read_bytes()
    except OSError as error:
        raise NetworkError(
            f"Cannot read the network {path}: {error.strerror}.",
            "Name a .py or .json file that describes one: docs/own-networks.md.",
        ) from error
    return (_read_python if path.suffix.lower() == PYTHON else _read_json)(path, source)


def _read_json(path: Path, source: bytes) -> OwnNetwork:
    try:
        document = NetworkDocument.model_validate_json(source)
    except ValidationError as error:
        raise _invalid(path, error) from None
    places = [path.name, path.name]

    def build(net: Net) -> None:
        document.build(net, places)

    return OwnNetwork(path.name, build, lambda: places[-1])


def _invalid(path: Path, error: ValidationError) -> NetworkError:
    """What is wrong with a document, at the layer where it is."""
    problem = error.errors()[0]
    where, at = path.name, list(problem["loc"])
    fix = "docs/own-networks.md has the form and an example."
    if len(at) > 1 and at[0] == "layers" and isinstance(at[1], int):
        where = place(path.name, at[1], None)
        op, at = (str(at[2]) if len(at) > 2 else ""), at[3:]
        if op in LAYERS:
            members = [name for name in LAYERS[op].model_fields if name != "op"]
            fix = f"A layer {op} has these members: {', '.join(members)}."
        else:
            fix = f"op is one of {', '.join(LAYERS)}."
    member = ".".join(map(str, at))
    message = str(problem["msg"]).rstrip(".")
    return NetworkError(f"{where}: {f'{member}: ' if member else ''}{message}.", fix)


def _read_python(path: Path, source: bytes) -> OwnNetwork:
    module = ModuleType(MODULE)
    module.__file__ = str(path)
    with _running(path, module):
        code: CodeType = compile(source, str(path), "exec")
        exec(code, module.__dict__)
    function: Any = getattr(module, FUNCTION, None)
    if not callable(function):
        raise NetworkError(
            f"{path.name} has no function {FUNCTION}.",
            f"Define one: def {FUNCTION}(net), which calls net.stem(...) and what follows.",
        )

    def build(net: Net) -> None:
        with _running(path, module):
            function(net)

    return OwnNetwork(path.name, build, lambda: _line(path) or path.name)


@contextlib.contextmanager
def _running(path: Path, module: ModuleType) -> Iterator[None]:
    """Run the user's code: what it prints goes to standard error, what it raises becomes one error.

    Raises:
        NetworkError: names the line.
    """
    before = sys.modules.get(MODULE)
    sys.modules[MODULE] = module
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except NetworkError:
        raise
    except SyntaxError as error:
        where = path.name if error.filename != str(path) else f"{path.name}, line {error.lineno}"
        raise NetworkError(f"{where}: {error.msg}.", "Correct the file.") from error
    except (Exception, SystemExit) as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(path)
        ]
        where = f"{path.name}, line {lines[-1]}" if lines else path.name
        said = " ".join(str(error).split()).rstrip(".")
        raise NetworkError(
            f"{where}: {type(error).__name__}{f': {said}' if said else ''}.", "Correct the file."
        ) from error
    finally:
        if before is None:
            sys.modules.pop(MODULE, None)
        else:
            sys.modules[MODULE] = before


def _line(path: Path) -> str:
    """The line of the user's file that is running; empty outside it."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == str(path):
            return f"{path.name}, line {frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""
