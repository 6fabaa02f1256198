"""Sensor series on the page: each window can be looked at."""

from __future__ import annotations

import binascii
import json
import shutil
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from browser import Browser
from scripted_device import ScriptedDevice

from rbnn.console.board import HeldBoard
from rbnn.console.serve import Console
from rbnn.device.session import Session
from rbnn.image.board import load_board

ROWS, HOP = 1280, 128
"""Three windows of 1,024 steps."""
READY = '!document.querySelector("#file").disabled'
CHOSEN = 'document.querySelector(".windows span")?.textContent'


class Far(ScriptedDevice):
    """A board whose active task takes windows of one channel; its answer is the mean of one."""

    def __init__(self) -> None:
        bits = struct.pack(">f", 0.0).hex(), struct.pack(">f", 1.0).hex()
        self.data = b""
        super().__init__(
            {
                "id": "m-firmware-[0.1.0]\nm-build-[release]\nm-board-[qemu]\nm-protection-[none]\n"
                f"m-model-id-[{'0f' * 16}]\nm-puf-[enrolled]\nm-public-[{'1e' * 32}]",
                "tasks": "m-task-[0,gait,2,active]",
                "licences": f"m-licence-[0,gait,{'ab' * 16},3,flash]",
                "stack": "m-stack-[10,20]",
                "labels": f"m-input-[32,32,1]\nm-series-[1024,{HOP}]\n"
                f"m-channel-[0,{bits[0]},{bits[1]}]\nm-label-[0,low]\nm-label-[1,high]",
                "db": self._db,
                "crc": lambda command: f"m-crc-[{binascii.crc32(self.data):08x}]",
                "infer": self._infer,
            }
        )

    def _db(self, command: str) -> str:
        words = command.split()
        if words[1] == "load":
            self.data = b""
            return f"m-[Expecting {words[2]} bytes]"
        self.data += bytes.fromhex(words[1])
        return ""

    def _infer(self, command: str) -> str:
        high = sum(self.data) / len(self.data) / 255
        return f"m-lap-us-1\nm-lap-us-2\nm-results-[{1 - high:.6f},{high:.6f}]"


@pytest.fixture
def console() -> Iterator[Console]:
    far = Far()
    target: Any = SimpleNamespace(
        board=load_board("qemu"), emulation=None, open=lambda: Session(far.path)
    )
    held = HeldBoard(target, None, Path("runs"))
    held.connect()
    served = Console(held)
    thread = threading.Thread(target=served.serve_until_interrupted)
    thread.start()
    yield served
    served.should_exit = True
    thread.join(30)
    far.close()
    assert not thread.is_alive()


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Its values grow, so that every window has another answer."""
    path = tmp_path / "steps.csv"
    path.write_text("value\n" + "".join(f"{(row - 640) / 200}\n" for row in range(ROWS)))
    return path


def ask(console: Console, series: Path, **options: str) -> requests.Response:
    where = f"{console.url}api/infer"
    data = series.read_bytes()
    return requests.post(where, params={"name": series.name, **options}, data=data, timeout=60)


def test_each_window_has_its_answer(console: Console, series: Path) -> None:
    found = [ask(console, series, window=str(number)).json() for number in range(3)]
    assert [(one["window"], one["windows"], one["step"]) for one in found] == [
        (0, 3, 0),
        (1, 3, HOP),
        (2, 3, 2 * HOP),
    ]
    high = [
        next(score["score"] for score in one["inference"]["scores"] if score["label"] == "high")
        for one in found
    ]
    assert high == sorted(high) and len(set(high)) == 3
    assert ask(console, series).json() == found[0]
    events = requests.get(f"{console.url}api/state", timeout=60).json()["events"]
    assert [event["text"].split(":")[0] for event in events[:2]] == [
        "steps.csv from 0",
        f"steps.csv from {2 * HOP}",
    ]


@pytest.mark.parametrize("window", ["3", "-1", "x", "99999999999999999999"])
def test_a_window_that_is_not_there_is_refused(console: Console, series: Path, window: str) -> None:
    answer = ask(console, series, window=window)
    assert answer.status_code == 422
    assert "has no window" in answer.json()["error"] and "It has 3" in answer.json()["try"]


def test_the_page_goes_through_the_windows(console: Console, series: Path, tmp_path: Path) -> None:
    program = next(
        (found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None
    )
    if program is None:
        pytest.skip("no Chromium on the PATH: `make test` installs it (apt-get install chromium)")
    (tmp_path / "profile").mkdir()
    browser = Browser(program, tmp_path / "profile")
    try:
        browser.size(390)
        browser.open(console.url)
        browser.wait(f'document.querySelectorAll("#tasks li").length == 1 && {READY}')
        browser.choose_file("#file", series)
        for number, button in enumerate(("later", "later", "earlier", None)):
            shown = (0, 1, 2, 1)[number]
            text = f"window {shown + 1} of 3, from time step {HOP * shown}"
            browser.wait(f"{CHOSEN} === {json.dumps(text)} && {READY}")
            ends = browser.run(
                '["earlier", "later"].map(id => document.getElementById(id).disabled)'
            )
            assert ends == [shown == 0, shown == 2]
            if button is not None:
                browser.run(f'document.getElementById("{button}").click()')
        assert browser.complaints == []
    finally:
        browser.close()
