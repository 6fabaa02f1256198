"""A headless Chromium, told what to do over its own pipe (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
TIMEOUT_S = 120
START = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads commands from 3, and answers on 4. The copies are out of the way of both."""


class Browser:
    """One page in a browser of its own.

    Args:
        program: Chromium.
        profile: an empty folder.

    ``complaints`` is what the page writes to its console, and the errors that it does not catch;
    ``asked`` are the addresses that it requests.
    """

    def __init__(self, program: str, profile: Path) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        with (profile / "chromium.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-c", START, str(to_read), str(to_write), program, *FLAGS),
                    *("--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"),
                ],
                pass_fds=[to_read, to_write],
                stdout=log,
                stderr=log,
            )
        os.close(to_read)
        os.close(to_write)
        self._pending = b""
        self._number = 0
        self._session = ""
        self.complaints: list[str] = []
        self.asked: list[str] = []
        pages = self.tell("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in pages if one["type"] == "page")
        attached = self.tell("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.tell(f"{domain}.enable")

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError, AssertionError):
            self._session = ""
            self.tell("Browser.close")
        self._process.wait(timeout=30)
        os.close(self._to)
        os.close(self._from)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command, and wait for its result."""
        self._number += 1
        number = self._number
        asked: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        for told in self._told():
            if told.get("id") == number:
                assert "error" not in told, (method, told["error"])
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)
        raise AssertionError(f"Chromium did not answer {method}")

    def _told(self) -> Iterator[dict[str, Any]]:
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            head, zero, rest = self._pending.partition(b"\0")
            if zero:
                self._pending = rest
                yield json.loads(head)
            elif select.select([self._from], [], [], 1)[0]:
                read = os.read(self._from, 1 << 16)
                assert read, "Chromium has ended"
                self._pending += read

    def _note(self, told: dict[str, Any]) -> None:
        method, parameters = told.get("method"), told.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            entry = parameters["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.asked.append(parameters["request"]["url"])

    def size(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Be a screen of this size, in a light or dark scheme."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Go to a page."""
        self.tell("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        found = self.tell(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str, timeout_s: float = 60) -> None:
        """Wait until an expression is true, whatever it raises before."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.run(f"(() => {{ try {{ return Boolean({script}) }} catch {{ }} }})()"):
                return
            time.sleep(0.1)
        raise AssertionError(f"never true: {script}\n{self.complaints}\n{self.text()}")

    def text(self) -> str:
        """What the page says."""
        return str(self.run("document.body.innerText"))

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file, as the browser's dialog does."""
        root = self.tell("DOM.getDocument")["root"]["nodeId"]
        node = self.tell("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.tell("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        typed = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            told = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            self.tell("Input.dispatchKeyEvent", **told, **typed)

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        shot = self.tell("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))
