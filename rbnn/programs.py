"""Programs that pip does not bring: how to install them on this system."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

PACKAGES: dict[str, Mapping[str, str]] = {
    "arm-none-eabi-gcc": {
        "apt-get": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
        "brew": "--cask gcc-arm-embedded",
        "dnf": "arm-none-eabi-gcc-cs arm-none-eabi-newlib",
        "pacman": "arm-none-eabi-gcc arm-none-eabi-newlib",
    },
    "arm-none-eabi-objcopy": {
        "apt-get": "binutils-arm-none-eabi",
        "brew": "--cask gcc-arm-embedded",
        "dnf": "arm-none-eabi-binutils-cs",
        "pacman": "arm-none-eabi-binutils",
    },
    "arm-none-eabi-g++": {
        "apt-get": "libstdc++-arm-none-eabi-newlib",
        "brew": "--cask gcc-arm-embedded",
        "dnf": "arm-none-eabi-gcc-cs-c++",
        "pacman": "arm-none-eabi-gcc",
    },
    "cc": {
        "apt-get": "gcc libc6-dev",
        "brew": "gcc",
        "dnf": "gcc glibc-devel",
        "pacman": "gcc",
    },
    "espeak-ng": dict.fromkeys(("apt-get", "brew", "dnf", "pacman"), "espeak-ng"),
    "openocd": {
        "apt-get": "openocd",
        "brew": "open-ocd",
        "dnf": "openocd",
        "pacman": "openocd",
    },
    "qemu-system-arm": {
        "apt-get": "qemu-system-arm",
        "brew": "qemu",
        "dnf": "qemu-system-arm",
        "pacman": "qemu-system-arm",
    },
}
"""For each program, its packages by the package manager that brings them."""
_COMMANDS = {
    "apt-get": "sudo apt-get install",
    "brew": "brew install",
    "dnf": "sudo dnf install",
    "pacman": "sudo pacman -S",
}


def install_command(program: str) -> str:
    """The command that installs a program of :data:`PACKAGES`, with this system's package manager.

    That of Debian, where none is known.
    """
    manager = _manager()
    return f"{_COMMANDS[manager]} {PACKAGES[program][manager]}"


def _manager() -> str:
    if sys.platform == "darwin":
        return "brew"
    known = [name for name in ("apt-get", "dnf", "pacman") if shutil.which(name)]
    return known[0] if known else "apt-get"
