"""A console that runs in a thread of the tests, and its board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from rbnn.console.board import HeldBoard
from rbnn.console.serve import Console
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.keys.user_key import UserKey

TIMEOUT_S = 300
PICTURES, SOUNDS = "signs", "words"
"""Its tasks: one of colour pictures, and one that has the name of a built-in task of sounds."""


@dataclass
class Served:
    """A console, the board that it holds, and what else belongs to it."""

    console: Console
    held: HeldBoard
    target: EmulatedTarget
    user_key: UserKey
    runs: Path

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.console.url + path, timeout=TIMEOUT_S, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return requests.post(self.console.url + path, timeout=TIMEOUT_S, **options)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("api/state").json()
        return found

    def states(self) -> dict[str, str]:
        """Of the tasks."""
        return {one["name"]: one["state"] for one in self.state()["status"]["tasks"]}

    def act(self, path: str, **options: Any) -> Any:
        """What an action answers that must not be refused."""
        answer = self.post(f"api/{path}", **options)
        assert answer.status_code == 200, answer.text
        return answer.json()
