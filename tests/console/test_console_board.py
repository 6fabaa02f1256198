"""What the page can have the board do, and what it says if that fails."""

from __future__ import annotations

import base64
import io
import re
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from served_console import PICTURES, SOUNDS, TIMEOUT_S, Served

from rbnn.console.board import HeldBoard
from rbnn.device.errors import LinkError, PortError
from rbnn.device.inference import infer_files
from rbnn.tasks import TaskError, load_sample
from rbnn.tasks.tree import MAX_FILE_BYTES

pytestmark = pytest.mark.qemu


def wav(samples: int = 16_000, rate: int = 16_000) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        noise = np.random.default_rng(1).integers(-9000, 9000, samples, dtype=np.int16)
        out.writeframes(noise.tobytes())
    return stream.getvalue()


def refused(answer: requests.Response, what: str, fix: str, status: int = 422) -> None:
    """The answer is the error of a command."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert set(document) == {"error", "try"}
    assert what in document["error"] and fix in document["try"], document


def infer(console: Served, name: str, raw: bytes) -> requests.Response:
    return console.post("api/infer", params={"name": name}, data=raw)


def test_the_state_says_what_board_status_says(console: Served) -> None:
    found = console.state()
    assert (found["board"], found["emulated"], found["connected"]) == ("qemu", True, True)
    identity = found["status"]["identity"]
    assert (identity["build"], identity["puf"]) == ("development", "enrolled")
    assert len(identity["public"]) == 64 and len(identity["model_id"]) == 32
    assert found["protection"].startswith("none: ")
    assert {one["task"]: one["sequence"] for one in found["status"]["licences"]} == {
        PICTURES: 1,
        SOUNDS: 2,
    }
    assert found["active"] is None and found["has_key"]


def test_tasks_are_unlocked_switched_to_and_locked(console: Served) -> None:
    assert console.states() == {PICTURES: "locked", SOUNDS: "locked"}
    console.act("unlock", params={"task": SOUNDS})
    assert console.states() == {PICTURES: "locked", SOUNDS: "unlocked"}
    state = console.act("switch", params={"task": PICTURES})
    assert state["active"] == {"name": PICTURES, "classes": 10, "channels": 3, "kind": "image"}
    assert "Unlocked and switched to signs; the switch took" in state["events"][0]["text"]
    assert "(emulated)" in state["events"][0]["text"]
    state = console.act("switch", params={"task": SOUNDS})
    assert state["active"] == {"name": SOUNDS, "classes": 4, "channels": 1, "kind": "audio"}
    assert state["events"][0]["text"].startswith("Switched to words")
    console.act("lock")
    assert console.states() == {PICTURES: "locked", SOUNDS: "locked"}


def test_refusals_are_those_of_the_commands(console: Served, picture: Path) -> None:
    for name in ("unlock", "switch"):
        for task in ("nope", "", f"{SOUNDS} 00"):
            answer = console.post(f"api/{name}", params={"task": task})
            refused(answer, "no such task", f"Its tasks are: {PICTURES}, {SOUNDS}")
    refused(infer(console, picture.name, picture.read_bytes()), "no task is active", "rbnn switch")
    refused(console.post("api/profile"), "no task is active", "rbnn switch TASK")
    assert console.state()["connected"], "a refusal is not the end of the line"
    event = console.state()["events"][0]
    assert event["kind"] == "failed" and event["fix"].startswith("Choose a task")


def test_a_file_gets_the_same_answer_as_from_rbnn_infer(console: Served, picture: Path) -> None:
    console.act("switch", params={"task": PICTURES})
    found = infer(console, picture.name, picture.read_bytes()).json()
    assert found["took"].endswith("instructions (emulated)") and found["kind"] == "image"
    assert found["note"] == ""
    console.act("disconnect")
    with console.target.open() as session:
        (same,) = infer_files(session, [picture], console.runs, print)
    console.act("connect")
    answer = found["inference"]
    assert (answer["task"], answer["label"]) == (PICTURES, same.label)
    assert answer["scores"] == [one.model_dump() for one in same.scores]
    scores = [one["score"] for one in answer["scores"]]
    assert scores == sorted(scores, reverse=True) and len(scores) == 10
    pixels = base64.b64decode(found["picture"].partition("base64,")[2])
    seen = np.asarray(Image.open(io.BytesIO(pixels)))
    assert np.array_equal(seen, load_sample(picture, 3))


def test_a_sound_is_answered_by_a_task_of_sounds(console: Served) -> None:
    console.act("switch", params={"task": SOUNDS})
    for raw in (wav(), wav(88_200, 44_100), wav(100)):
        found = infer(console, "recording-120000.wav", raw).json()
        assert (found["kind"], found["inference"]["task"]) == ("audio", SOUNDS)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("notes.txt", b"hello"),
        ("", b"hello"),
        ("empty.png", b""),
        ("not-really.png", b"GIF89a" + bytes(99)),
        ("cut.png", None),
        ("cut.jpg", b"\xff\xd8\xff" + bytes(40)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_file_is_refused_as_by_rbnn_infer(
    console: Served, picture: Path, tmp_path: Path, name: str, raw: bytes | None
) -> None:
    console.act("switch", params={"task": PICTURES})
    content = picture.read_bytes()[:300] if raw is None else raw
    answer = infer(console, name, content)
    path = tmp_path / (name or "nothing")
    path.write_bytes(content)
    with pytest.raises(TaskError) as caught:
        load_sample(path, 3)
    expected = caught.value.what.replace(str(path), name)
    refused(answer, expected, caught.value.fix)
    assert infer(console, picture.name, picture.read_bytes()).status_code == 200


def test_a_file_of_the_other_kind_is_refused(console: Served, picture: Path) -> None:
    console.act("switch", params={"task": PICTURES})
    refused(infer(console, "a.wav", wav()), "a.wav is a sound, but", "Name a picture")
    console.act("switch", params={"task": SOUNDS})
    answer = infer(console, picture.name, picture.read_bytes())
    refused(answer, "is a picture, but the active task words expects sounds", "Name a sound")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(console: Served) -> None:
    sent = 0

    def pieces() -> object:
        nonlocal sent
        for _ in range(MAX_FILE_BYTES // 2**20 + 1):
            sent += 1
            yield bytes(2**20)

    try:
        answer = console.post("api/infer", params={"name": "huge.png"}, data=pieces())
        refused(answer, "huge.png is larger than 64 MiB", "scale it down")
    except requests.ConnectionError:  # it may close the line before all is sent
        assert sent > MAX_FILE_BYTES // 2**20 - 2
    headers = {"Content-Length": str(MAX_FILE_BYTES + 1)}
    request = requests.Request("POST", console.console.url + "api/infer?name=huge.png").prepare()
    request.headers.update(headers)
    with requests.Session() as session:
        answer = session.send(request, timeout=TIMEOUT_S)
    refused(answer, "huge.png is larger than 64 MiB", "scale it down")
    assert console.state()["connected"]


def test_layers_are_profiled(console: Served) -> None:
    console.act("switch", params={"task": PICTURES})
    found = console.act("profile")
    assert (found["mark"], found["profile"]["unit"]) == ("emulated", "instructions")
    assert found["profile"]["task"] == PICTURES
    layers = found["profile"]["layers"]
    assert sum(one["counts"] for one in layers) == found["profile"]["counts"] > 0
    assert console.states()[PICTURES] == "active"


def test_requests_at_once_are_answered_one_after_the_other(console: Served, picture: Path) -> None:
    console.act("switch", params={"task": PICTURES})
    raw = picture.read_bytes()
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: infer(console, picture.name, raw), range(3)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["inference"]["label"] for answer in answers}) == 1


def test_a_state_is_told_while_the_board_works(console: Served) -> None:
    with console.held._line:
        state = console.state()
    assert state["busy"] and state["status"]["board"] == "qemu"


def test_nobody_else_gets_the_board_until_it_is_disconnected(console: Served) -> None:
    with pytest.raises(PortError, match="is in use by another program"):
        console.target.open()
    other = HeldBoard(console.target, None, console.runs)
    with pytest.raises(PortError, match="is in use by another program"):
        other.connect()
    console.act("disconnect")
    refused(console.post("api/lock"), "is not connected", "Connect it", 503)
    with console.target.open():
        refused(console.post("api/connect"), "is in use by another program", "End that", 503)
        assert "in use" in console.state()["problem"]["what"]
    state = console.act("connect")
    assert state["connected"] and state["problem"] is None


def test_a_board_that_dies_is_reported_and_comes_back(console: Served, picture: Path) -> None:
    console.act("switch", params={"task": PICTURES})
    console.target.emulator.power_off()
    refused(infer(console, picture.name, picture.read_bytes()), "disconnected", "plugged in", 503)
    state = console.state()
    assert not state["connected"] and "disconnected" in state["problem"]["what"]
    assert state["status"] is None and state["active"] is None
    state = console.act("connect")
    assert state["connected"] and state["problem"] is None
    assert console.states() == {PICTURES: "locked", SOUNDS: "locked"}


def test_a_board_that_dies_between_two_requests_is_noticed(console: Served) -> None:
    console.target.emulator.power_off()
    assert not console.state()["connected"]
    events = len(console.state()["events"])
    assert len(console.state()["events"]) == events, "it is said once"


def test_no_key_reaches_page_log_or_address(
    console: Served, picture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = picture.read_bytes()
    answers = [
        console.post("api/switch", params={"task": PICTURES}),
        infer(console, picture.name, raw),
        console.post("api/unlock", params={"task": "nope"}),
        *(console.get(path) for path in ("", "style.css", "static/main.js", "api/state")),
    ]
    licences = answers[-1].json()["status"]["licences"]
    keys = [console.user_key.psk(bytes.fromhex(one["licence_id"])) for one in licences]
    keys.append(console.user_key.key.reveal())
    said = "\n".join(
        [*(one.text + str(one.headers) + one.url for one in answers), caplog.text]
    ).lower()
    for key in keys:
        for at in range(0, 32, 8):
            assert key[at : at + 8].hex() not in said
    assert not re.search(r"user\.key", said)


def test_an_interrupted_console_leaves_the_board_to_others(served: Served) -> None:
    """A console of its own: an interrupted one stays ended."""
    served.act("disconnect")
    held = HeldBoard(served.target, None, served.runs)
    held.connect()
    held.interrupt()
    with pytest.raises(LinkError, match="was interrupted"):
        held.lock()
    assert not held.state().connected
    with served.target.open() as session:
        assert session.board_name == "qemu"
    with pytest.raises(LinkError, match="console is ending"):
        held.connect()
