"""What rbnn needs on this machine: each thing with its state, and the command that fixes it."""

from __future__ import annotations

import grp
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rbnn.frozen import Frozen
from rbnn.image.board import Board
from rbnn.pages.units import KB
from rbnn.programs import install_command

State = Literal["ok", "missing", "note"]
PYTHONS = ((3, 11), (3, 12))
RULES = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
GROUPS = ("dialout", "plugdev")
"""Debian's groups for serial ports and, by OpenOCD's rules, for debug probes."""
_VERSION = re.compile(r"\d+\.\d+[\w.+~-]*")


class Check(Frozen):
    """One thing. ``needed`` says whether the work that was asked about fails without it."""

    name: str
    state: State
    needed: bool
    found: str
    fix: str = ""

    @property
    def fails(self) -> bool:
        """Whether something needed is missing."""
        return self.needed and self.state == "missing"


def python() -> Check:
    """The interpreter."""
    wanted = " or ".join(".".join(map(str, version)) for version in PYTHONS)
    return Check(
        name="Python",
        state="ok" if sys.version_info[:2] in PYTHONS else "missing",
        needed=True,
        found=f"{sys.version.split()[0]}, {sys.executable}",
        fix=f"Make a virtual environment with Python {wanted}: python3.11 -m venv .venv",
    )


def package(name: str, title: str, *, needed: bool = True) -> Check:
    """A Python package; it is not imported, which takes seconds for TensorFlow. What is not needed
    belongs to the extra ``train``."""
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        fix = "pip install rbnn" if needed else "pip install 'rbnn[train]', if you want to train"
        return Check(name=title, state="missing", needed=needed, found="none", fix=fix)
    return Check(name=title, state="ok", needed=needed, found=found)


def program(name: str, title: str, *, needed: bool) -> Check:
    """A program on the PATH, and its version."""
    path = shutil.which(name)
    fix = install_command(name)
    if path is None:
        return Check(name=title, state="missing", needed=needed, found="not on the PATH", fix=fix)
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
        said = _VERSION.search(done.stdout + done.stderr)
    except (OSError, subprocess.SubprocessError) as error:
        return Check(name=title, state="missing", needed=needed, found=f"{path}: {error}", fix=fix)
    return Check(name=title, state="ok", needed=needed, found=f"{said[0] if said else '?'}, {path}")


def machines(boards: Sequence[Board], emulator: Check, program_name: str) -> Check:
    """Whether the emulator has the machines of these boards."""
    wanted = {board.emulator.machine: board.name for board in boards if board.emulator}
    if emulator.state != "ok":
        return Check(name="its machines", state="note", needed=False, found="no emulator")
    done = subprocess.run(
        [program_name, "-machine", "help"], capture_output=True, text=True, timeout=30
    )
    known = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    lacking = [f"{machine} ({name})" for machine, name in wanted.items() if machine not in known]
    return Check(
        name="its machines",
        state="missing" if lacking else "ok",
        needed=True,
        found=f"without {', '.join(lacking)}" if lacking else ", ".join(sorted(wanted)),
        fix="Install a newer QEMU, or use another board." if lacking else "",
    )


def udev_rules(boards: Sequence[Board], *, needed: bool, folders: Sequence[str] = RULES) -> Check:
    """Whether udev gives users the probes of these boards."""
    vendors = {f"{board.serial.vendor_id:04x}" for board in boards if board.serial}
    files = [path for folder in folders for path in sorted(Path(folder).glob("*.rules"))]
    text = {path: path.read_text(errors="replace") for path in files}
    lacking = [
        vendor
        for vendor in sorted(vendors)
        if not any(f'ATTRS{{idVendor}}=="{vendor}"' in said for said in text.values())
    ]
    found = f"for {', '.join(sorted(vendors - set(lacking)))}" if vendors - set(lacking) else "none"
    return Check(
        name="udev rules of the probes",
        state="missing" if lacking else "ok",
        needed=needed,
        found=f"{found}; none for {', '.join(lacking)}" if lacking else found,
        fix="sudo apt-get install openocd && sudo udevadm control --reload && sudo udevadm trigger"
        if lacking
        else "",
    )


def group(name: str, *, needed: bool) -> Check:
    """Whether this user may use serial ports, or probes."""
    title = f"group {name}"
    if os.geteuid() == 0:
        return Check(name=title, state="ok", needed=needed, found="you are root")
    try:
        entry = grp.getgrnam(name)
    except KeyError:
        return Check(name=title, state="note", needed=False, found="no such group here")
    is_in = entry.gr_gid in {*os.getgroups(), os.getegid()}
    return Check(
        name=title,
        state="ok" if is_in else "missing",
        needed=needed,
        found="you are in it" if is_in else "you are not in it",
        fix="" if is_in else f"sudo usermod -aG {name} $USER, then log in again",
    )


def cache(title: str, folder: Path) -> Check:
    """A folder that rbnn fills: where it is, how large, and whether it can be written."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    can_write = os.access(parent, os.W_OK)
    return Check(
        name=title,
        state="ok" if can_write else "missing",
        needed=True,
        found=f"{folder}, {size / KB / KB:,.0f} MB" + ("" if can_write else ", cannot be written"),
        fix="" if can_write else f"sudo chown -R $USER {parent}",
    )
