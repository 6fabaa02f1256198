"""Wheel and source distribution hold what they need, and nothing that a build left in the clone."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
TOP = ("firmware/", "boards/", "models/seven/")


def contents(wheel: Any) -> set[str]:
    """Names of a wheel's files, without those that describe it."""
    names = set(zipfile.ZipFile(wheel).namelist())
    return {name for name in names if ".dist-info/" not in name}


def test_the_wheel_holds_the_package_and_its_sources_as_git_does(distributions: Any) -> None:
    tracked = distributions.tracked
    package = {name for name in tracked if name.startswith("rbnn/")}
    shipped = {f"rbnn/shipped/{name}" for name in tracked if name.startswith(TOP)}
    assert contents(distributions.wheel) == package | shipped


def test_the_wheel_holds_their_bytes(distributions: Any) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        for name in (
            "firmware/core/engine.c",
            "boards/nucleo/board.json",
            "models/seven/container.bin",
        ):
            assert wheel.read(f"rbnn/shipped/{name}") == (REPOSITORY / name).read_bytes()


def test_the_sources_hold_all_that_the_wheel_is_built_from(distributions: Any) -> None:
    with tarfile.open(distributions.sdist) as tar:
        names = {member.name.partition("/")[2] for member in tar if member.isfile()}
    needed = {name for name in distributions.tracked if name.startswith(("rbnn/", *TOP))}
    needed |= {"setup.py", "MANIFEST.in", "pyproject.toml", "README.md", "LICENSE"}
    assert needed <= names
    made = {name for name in names if name.startswith(("rbnn.egg-info/", "PKG-INFO", "setup.cfg"))}
    assert names - made <= distributions.tracked


def test_training_is_an_extra(distributions: Any) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        (name,) = (one for one in wheel.namelist() if one.endswith("/METADATA"))
        lines = wheel.read(name).decode().splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if "Requires-Dist" in line]
    always = {line.partition("==")[0] for line in required if ";" not in line}
    training = {line.partition("==")[0] for line in required if 'extra == "train"' in line}
    assert {"numpy", "platformio", "pillow"} <= always
    assert training == {
        *("tensorflow", "tf-keras", "keras", "larq", "tensorboard", "h5py"),
        *("scipy", "scikit-learn", "matplotlib"),
    }
