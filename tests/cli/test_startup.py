"""What a command imports before it does its work: what it does not need costs every call."""

from __future__ import annotations

import binascii
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from scripted_device import ScriptedDevice

from rbnn.cli.application import COMMANDS, load
from rbnn.extras import TRAINING

HEAVY = {
    *TRAINING,
    *("numpy", "PIL", "pydantic", "sqlalchemy", "cryptography", "requests", "elftools"),
    *("cffi", "serial", "platformio", "qrcode", "jinja2", "alembic", "psycopg", "platformdirs"),
    *("starlette", "uvicorn"),
}
"""Packages that take more than a few milliseconds to import."""
TO_TALK = {"pydantic", "serial"}
TO_READ_FILES = {"numpy", "PIL"}
ROOMS_OF_A_CONVERSATION = {"cli", "device", "image", "keys", "flash", "spec", "tasks"}
GREY_CRC = binascii.crc32(bytes([7]) * (32 * 32 * 3))
GREY = (7, 7, 7)

WITHOUT_TRAINING = (
    *("spec", "tasks", "operators", "runs", "container", "engine", "cost", "export", "keys"),
    *("image", "flash", "device", "demo", "console", "cli", "train.assess", "train.report"),
)
WITHOUT_THE_EXTRA = """
import importlib, pkgutil, sys
from rbnn.extras import TRAINING
for name in TRAINING:
    sys.modules[name] = None
for name in sys.argv[1:]:
    found = importlib.import_module(f"rbnn.{name}")
    for module in pkgutil.walk_packages(getattr(found, "__path__", []), f"{found.__name__}."):
        if not module.name.endswith(("__main__", "migrations.env")):
            importlib.import_module(module.name)
"""
HELP_OF_EACH = """
import sys
from rbnn.cli.main import run
for name in sys.argv[1:]:
    before = set(sys.modules)
    sys.argv = ["rbnn", name, "--help"]
    try:
        run()
    except SystemExit as ended:
        assert not ended.code
    print(name, *set(sys.modules) - before, file=sys.stderr)
"""
"""The modules that each command is the first to import, one command a line."""

Imports = Callable[..., set[str]]


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    """Runs a command, and returns the modules that it has imported."""

    def modules(*arguments: str) -> set[str]:
        listed = tmp_path / "modules"
        script = (
            "import atexit, os, sys\n"
            "end = lambda: open(os.environ['LISTED'], 'w').write('\\n'.join(sys.modules))\n"
            "atexit.register(end)\n"
            "from rbnn.cli.main import run\n"
            "run()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, "LISTED": str(listed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return set(listed.read_text().split())

    return modules


@pytest.fixture
def far() -> Iterator[ScriptedDevice]:
    device = ScriptedDevice(
        {
            "name": "m-name-dut-[nucleo]",
            "db": "m-load-done",
            "tasks": "m-task-[0,mine,2,active]",
            "labels": "m-input-[32,32,3]\nm-label-[0,a]\nm-label-[1,b]",
            "crc": f"m-crc-[{GREY_CRC:08x}]",
            "infer": "m-lap-us-1000\nm-lap-us-3500\nm-infer-done\nm-results-[0.25,0.75]",
            "switch": "m-active-[mine]\nm-lap-us-1000\nm-lap-us-1400",
        }
    )
    yield device
    device.close()


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def rooms(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.count(".") > 1 and name[:5] == "rbnn."}


def test_the_list_of_commands_imports_none_of_them(imports: Imports) -> None:
    found = imports("--help")
    assert not packages(found) & HEAVY
    assert rooms(found) <= {"cli"}
    assert not {f"rbnn.cli.{name}" for name in COMMANDS} & found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_one_says(name: str) -> None:
    first, _, _ = (load(name).help or "").partition("\n\n")
    assert COMMANDS[name] == " ".join(first.split())


def test_the_help_of_a_command_imports_no_arithmetic() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP_OF_EACH, *COMMANDS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stderr.splitlines()]
    assert [name for name, *_ in lines] == list(COMMANDS)
    imported = {name: packages(set(modules)) & HEAVY for name, *modules in lines}
    usual = {"pydantic"}  # Typer's, for any parameter
    assert not {name: found for name, found in imported.items() if not found <= usual}


def test_infer_imports_what_reads_files_and_what_talks(
    imports: Imports, far: ScriptedDevice, tmp_path: Path
) -> None:
    picture = tmp_path / "grey.png"
    Image.new("RGB", (32, 32), GREY).save(picture)
    found = imports("infer", str(picture), "--board", "nucleo", "--port", far.path)
    assert packages(found) & HEAVY == TO_TALK | TO_READ_FILES
    assert rooms(found) <= ROOMS_OF_A_CONVERSATION


def test_infer_looks_for_no_garbage_and_no_plugins(far: ScriptedDevice, tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    Image.new("RGB", (32, 32), GREY).save(picture)
    script = (
        "import atexit, gc, importlib.metadata, sys\n"
        "from rbnn.cli.main import run\n"
        "seen = set()\n"
        "importlib.metadata.entry_points = lambda **_: seen.add('plugins') or ()\n"
        "atexit.register(lambda: print('looked for:', *seen, file=sys.stderr))\n"
        "gc.collect()\n"
        "gc.callbacks.append(lambda *_: seen.add('garbage'))\n"
        "run()\n"
    )
    words = ["infer", str(picture), "--board", "nucleo", "--port", far.path]
    environment = {name: text for name, text in os.environ.items() if name[:8] != "PYDANTIC"}
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "looked for:"


def test_another_sample_rate_needs_no_package_of_the_extra(tmp_path: Path) -> None:
    sound = tmp_path / "tone.wav"
    with wave.open(str(sound), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(44_100)
        stream.writeframes(bytes(range(200)) * 441)
    script = "import sys; from rbnn.tasks.wav import read_wav; "
    script += "read_wav(open(sys.argv[1], 'rb').read(), 'x'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(sound)], capture_output=True, text=True, check=True
    )
    assert not packages(set(done.stdout.split())) & set(TRAINING)


def test_what_does_not_train_imports_without_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA, *WITHOUT_TRAINING],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_one_error_and_one_document(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "sys.modules['scipy'] = None\n"
        "from rbnn.cli.main import run\n"
        "sys.argv = ['rbnn', 'bench', 'train', '--json']\n"
        "run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["try"].endswith("pip install 'rbnn[train]'")
    assert "scipy is not installed" in done.stderr and "Traceback" not in done.stderr


def test_switch_imports_what_talks(imports: Imports, far: ScriptedDevice) -> None:
    found = imports("switch", "mine", "--board", "nucleo", "--port", far.path)
    assert packages(found) & HEAVY == TO_TALK
    assert rooms(found) <= ROOMS_OF_A_CONVERSATION - {"tasks"}


def test_an_emulated_board_imports_no_more_than_a_real_one() -> None:
    script = "import sys, rbnn.device.emulated.target; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert packages(set(done.stdout.split())) & HEAVY == TO_TALK
