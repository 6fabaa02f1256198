"""An environment that holds the wheel, and rbnn's dependencies without those of the extra."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from rbnn import monocypher
from rbnn.extras import TRAINING

REPOSITORY = Path(__file__).resolve().parents[2]
GUARD = """
import os, sys
for name in {training!r}:
    sys.modules[name] = None
def look(event, arguments):
    if event in ("open", "os.listdir", "os.scandir"):
        if isinstance(arguments[0], (str, bytes)):
            if os.fsdecode(arguments[0]).startswith({hidden!r}):
                raise RuntimeError(f"read {{arguments[0]}} of the clone")
        mode = arguments[1] if event == "open" else None
        written = isinstance(mode, str) and set(mode) & set("wax+")
        if written and isinstance(arguments[0], str) and arguments[0].startswith({site!r}):
            raise RuntimeError(f"wrote {{arguments[0]}} into the environment")
sys.addaudithook(look)
"""
"""Hides the clone and the extra from every Python process, and refuses to write where it is."""


class Installed:
    """A fresh environment with the wheel, in an empty folder.

    Args:
        folder: for everything.
        names: of the environment, the cache and the working folder, in this order.
        wheel: to be installed.
    """

    def __init__(self, folder: Path, names: tuple[str, str, str], wheel: Path) -> None:
        self.environment, self.cache, self.work = (folder / name for name in names)
        self.work.mkdir(parents=True)
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", self.environment], check=True
        )
        self.python = self.environment / "bin" / "python"
        (self.site,) = self.environment.glob("lib/python*/site-packages")
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        # A clone on the PYTHONPATH would count as installed.
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run([*command, "--no-deps", "--no-index", wheel], check=True, env=alone)
        self._guard()
        place = self.cache / "third_party" / "monocypher"  # as the first build would fetch it
        shutil.copytree(monocypher.provide(), place)

    def _guard(self) -> None:
        hidden = tuple(
            str(REPOSITORY / name) for name in ("rbnn/", "firmware/", "boards/", "models/")
        )
        text = GUARD.format(training=TRAINING, hidden=hidden, site=str(self.site))
        (self.site / "guard_of_the_test.py").write_text(text)
        (self.site / "a.pth").write_text("import guard_of_the_test\n")
        # After the wheel: a shared environment may hold another rbnn.
        (self.site / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

    def run(self, *arguments: str, script: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``rbnn`` in the working folder.

        Args:
            arguments: of the command.
            script: by the script that pip made, not by ``python -m``.
        """
        started = self.start(*arguments, script=script)
        said = started.communicate()
        return subprocess.CompletedProcess(started.args, started.returncode, *said)

    def start(self, *arguments: str, script: bool = True) -> subprocess.Popen[str]:
        """As :meth:`run`, without waiting for its end."""
        made_by_pip = [str(self.environment / "bin" / "rbnn")]
        start = made_by_pip if script else [str(self.python), "-m", "rbnn.cli.main"]
        kept = {"PATH", "LANG", "LC_ALL", "TMPDIR"}
        return subprocess.Popen(
            [*start, *arguments],
            cwd=self.work,
            env={
                **{name: value for name, value in os.environ.items() if name in kept},
                "HOME": str(self.work / "home"),
                "RBNN_CACHE": str(self.cache),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
