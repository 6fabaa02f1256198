"""The programs that a build needs, and a PlatformIO core folder that needs no registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from rbnn.files import write_atomic
from rbnn.image.errors import ToolError
from rbnn.image.workplace import workplace
from rbnn.programs import install_command

COMPILER = "arm-none-eabi-gcc"

_SCONS_LAUNCHER = '''"""Runs the SCons that pip installed."""

import SCons.Script

SCons.Script.main()
'''


def require(program: str) -> Path:
    """Find a program on the PATH.

    Args:
        program: a key of :data:`rbnn.programs.PACKAGES`.

    Raises:
        ToolError: it is not installed; the message holds the command that installs it.
    """
    found = shutil.which(program)
    if found is None:
        raise ToolError(f"{program} is not installed.", f"Run: {install_command(program)}")
    return Path(found)


def require_toolchain() -> None:
    """Check that the cross-compiler, its C library and its tools are installed.

    Raises:
        ToolError: one of them is not; the message holds the command that installs it.
    """
    compiler = require(COMPILER)
    asked = [str(compiler), "-print-file-name=nano.specs"]
    # The user's search paths are not the build's either.
    kept = ("PATH", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    found = subprocess.run(
        asked, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if not Path(found.stdout.strip()).is_absolute():
        raise ToolError(
            f"{compiler} has no C library: newlib is not installed.",
            f"Run: {install_command(COMPILER)}",
        )
    require("arm-none-eabi-objcopy")


def core_folder() -> Path:
    """rbnn's PlatformIO core folder, separate from the user's own."""
    return workplace().cache / "platformio"


def prepare_core() -> Path:
    """Provide ``tool-scons`` from PyPI's SCons, so that PlatformIO asks no registry.

    Returns:
        The core folder.
    """
    from platformio.dependencies import get_core_dependencies

    version = get_core_dependencies()["tool-scons"].lstrip("~")
    core = core_folder()
    package = core / "packages" / "tool-scons"
    spec = {"owner": "platformio", "id": 8192, "name": "tool-scons", "requirements": None}
    manifest = {"name": "tool-scons", "version": version, "description": "PyPI's SCons"}
    metadata = {
        "type": "tool",
        "name": "tool-scons",
        "version": version,
        "spec": {**spec, "uri": None},
    }
    files = {
        "package.json": json.dumps(manifest, indent=2) + "\n",
        ".piopm": json.dumps(metadata) + "\n",
        "scons.py": _SCONS_LAUNCHER,
    }
    for name, text in files.items():
        path = package / name
        if not path.is_file() or path.read_text() != text:
            write_atomic(path, text)
    return core
