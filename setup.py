"""The build step that pyproject.toml cannot express: the top of a clone goes into the wheel.

``firmware/``, ``boards/`` and ``models/seven`` become ``rbnn/shipped/...`` (rbnn/places.py). The
source distribution gets the same files, by MANIFEST.in. Third-party sources and what builds leave
behind stay out, as in git.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
SHIPPED = ("firmware", "boards", "models/seven")
LEFT_OUT = {"third_party", "model", ".pio", "__pycache__"}
"""Folders that git ignores, too."""


def shipped() -> list[Path]:
    """The files, by their path in the repository."""
    found = [path for folder in SHIPPED for path in sorted((HERE / folder).rglob("*"))]
    files = [path.relative_to(HERE) for path in found if path.is_file()]
    return [path for path in files if not LEFT_OUT & set(path.parts)]


class BuildWithSources(build_py):
    """Copies them beside the package; an editable installation reads them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = self._target()
        shutil.rmtree(target, ignore_errors=True)  # what an earlier build left
        for path in shipped():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HERE / path, place)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        own = [] if self.editable_mode else [str(self._target() / path) for path in shipped()]
        return [*super().get_outputs(include_bytecode), *own]

    def _target(self) -> Path:
        return Path(self.build_lib) / "rbnn" / "shipped"


setup(cmdclass={"build_py": BuildWithSources})
