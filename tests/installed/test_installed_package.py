"""From the wheel to a device's answer: in an empty folder, without clone and without extra."""

from __future__ import annotations

import json
import shutil
import signal
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from environment import REPOSITORY, Installed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]
PLAIN = ("environment", "cache", "work")
SPACES = ("an environment ü", "a cache ü", "a folder ü")
ODD = ("it's # $HOME (1) ü", """a "cache" & $(x)""", "a [folder], ; # 'ü'")


def tone(path: Path) -> None:
    """A second at a rate that has to be converted."""
    samples = 9000 * np.sin(np.arange(44_100) * 0.05)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(44_100)
        stream.writeframes(samples.astype("<i2").tobytes())


def look_at_the_console(installed: Installed, script: bool) -> None:
    """Its page, its scripts, and an answer, until Ctrl-C."""
    console = installed.start("console", "--json", script=script)
    assert console.stdout
    printed = ""
    for line in console.stdout:
        printed += line
        if line == "}\n":
            break
    url = json.loads(printed)["url"]
    try:
        for path in ("", "style.css", "static/main.js"):
            assert requests.get(url + path, timeout=60).status_code == 200
        sound = (installed.work / "tone.wav").read_bytes()
        answer = requests.post(f"{url}api/infer?name=tone.wav", data=sound, timeout=60).json()
        assert answer["inference"]["task"] == "kws"
    finally:
        console.send_signal(signal.SIGINT)
        said = console.communicate()[1]
    assert (console.returncode, "Traceback" in said) == (0, False), said


# Scripts that pip makes start in folders with spaces, but not with quotes.
@pytest.mark.parametrize(
    "names, script", [(PLAIN, True), pytest.param(ODD, False, marks=pytest.mark.full)]
)
def test_from_the_wheel_to_an_answer(
    tmp_path: Path, distributions: Any, names: tuple[str, str, str], script: bool
) -> None:
    installed = Installed(tmp_path, names, distributions.wheel)
    before = {path for path in installed.site.rglob("*")}

    def rbnn(*arguments: str) -> str:
        done = installed.run(*arguments, script=script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "provision" in rbnn("--help")
    rbnn("keys", "new", "user", "keys/user.key")
    try:
        flashed = json.loads(rbnn("flash", "--test-only", "--user-key=keys/user.key", "--json"))
        assert flashed["run"] == str(installed.site / "rbnn/shipped/models/seven")
        assert {one["task"] for one in flashed["licences"]} >= {"kws", "mnist"}
        rbnn("switch", "kws", "--user-key=keys/user.key")
        tone(installed.work / "tone.wav")
        assert json.loads(rbnn("infer", "tone.wav", "--json"))["task"] == "kws"
        look_at_the_console(installed, script)
    finally:
        installed.run("board", "off", script=script)
    new = set(installed.site.rglob("*")) - before
    assert not [path for path in new if "__pycache__" not in path.parts]
    (image,) = installed.cache.glob("firmware/*/packed/*/firmware/qemu/firmware.elf")
    assert str(REPOSITORY / "firmware").encode() not in image.read_bytes()


def test_the_script_starts_in_folders_with_spaces(tmp_path: Path, distributions: Any) -> None:
    done = Installed(tmp_path, SPACES, distributions.wheel).run("nets", "--board", "qemu")
    assert done.returncode == 0, done.stderr


def test_training_without_the_extra_is_one_error(tmp_path: Path, distributions: Any) -> None:
    installed = Installed(tmp_path, PLAIN, distributions.wheel)
    for command in (
        ["train", "--tasks", "digits"],
        ["demo"],
        ["report"],
        ["tasks", "digits"],
        ["bench", "train"],
    ):
        done = installed.run(*command)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].endswith("pip install 'rbnn[train]'"), done.stderr
        assert "Traceback" not in done.stderr
