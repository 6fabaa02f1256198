"""The distributions, built once from what git knows."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LITTER = (
    "firmware/third_party/monocypher/monocypher.c",
    "firmware/model/model_config.h",
    "firmware/.pio/build/x.o",
    "firmware/platform/__pycache__/platform.cpython-311.pyc",
    "build/lib/rbnn/shipped/firmware/removed_long_ago.c",
)
"""What set-up, builds and earlier wheels leave in a clone."""
BUILD = """
import sys
from setuptools import build_meta
folder = sys.argv[1]
build_meta.build_sdist(folder)
build_meta.build_wheel(folder)
"""


@dataclass(frozen=True)
class Distributions:
    """Args:
    tracked: files of the repository, by their paths in it.
    wheel: the wheel.
    sdist: the source distribution.
    """

    tracked: frozenset[str]
    wheel: Path
    sdist: Path


def _build_tools(folder: Path) -> dict[str, str]:
    """The environment in which setuptools is the pinned one."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (pinned,) = settings["build-system"]["requires"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if f"setuptools=={importlib.metadata.version('setuptools')}" == pinned:
        return environment
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), pinned]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"needs {pinned}: make setup")
    return {**environment, "PYTHONPATH": str(folder)}


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("needs a git checkout")
    tracked = {name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file()}
    folder = tmp_path_factory.mktemp("distributions")
    clone = folder / "clone"
    for name in tracked:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, clone / name)
    for name in LITTER:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("litter")
    made = folder / "dist"
    made.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(made)],
        cwd=clone, env=_build_tools(folder / "tools"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,), (sdist,) = made.glob("*.whl"), made.glob("*.tar.gz")
    return Distributions(frozenset(tracked), wheel, sdist)
