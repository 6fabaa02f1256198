"""Files to labels: the kind of input, the task that answers, and a board that dies on the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scripted_device import ScriptedDevice
from test_session import Buffer
from typer.testing import CliRunner

from rbnn.cli import options
from rbnn.cli.main import build
from rbnn.device.errors import LinkError
from rbnn.device.inference import FileInference, infer_files, infer_images, listing
from rbnn.device.session import Session
from rbnn.image.board import Emulation, load_board
from rbnn.tasks import TaskError

Make = Callable[..., ScriptedDevice]
MODEL = "0f" * 16
RESULT = "m-lap-us-1000\nm-lap-us-3500\nm-infer-done\nm-results-[0.25,0.75]"


def board(
    device: Make, task: str, channels: int = 1, infer: object = RESULT, labels: int = 2
) -> ScriptedDevice:
    """A board whose active task is ``task``."""
    buffer = Buffer()
    names = "\n".join(f"m-label-[{number},{'ab'[number]}]" for number in range(labels))
    return device(
        db=buffer.db,
        crc=buffer.crc,
        id="m-firmware-[0]\nm-build-[release]\nm-board-[qemu]\nm-protection-[none]\n"
        f"m-model-id-[{MODEL}]\nm-puf-[enrolled]",
        tasks=f"m-task-[0,other,2,locked]\nm-task-[1,{task},2,active]",
        labels=f"m-input-[32,32,{channels}]\n{names}",
        infer=infer,
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photograph.png"
    Image.new("RGB", (32, 32), (200, 30, 60)).save(path)
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "word.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(32_000))
    return path


def answer(
    far: ScriptedDevice, files: list[Path], runs: Path, said: list[str] | None = None
) -> list[FileInference]:
    say = (lambda line: None) if said is None else said.append
    with Session(far.path) as session:
        return list(infer_files(session, files, runs, say))


def write_run(runs: Path, source: str, task: str, random_run: Any) -> None:
    """A run of the board's model whose task was made from ``source``."""
    config = random_run.config()
    entry = config.tasks[0].model_copy(update={"name": task, "source": source})
    folder = runs / "trained"
    folder.mkdir(parents=True)
    text = config.model_copy(update={"tasks": (entry,), "model_id": MODEL}).model_dump_json()
    (folder / "config.json").write_text(text)


@pytest.fixture(scope="session")
def random_run(random_export: Callable[..., Any]) -> Any:
    return random_export().run


def test_a_picture_for_a_built_in_audio_task_is_refused(
    device: Make, picture: Path, sound: Path, tmp_path: Path
) -> None:
    far = board(device, "words")
    (found,) = answer(far, [sound], tmp_path / "runs")
    assert (found.task, found.label) == ("words", "b")
    with pytest.raises(TaskError, match=r"is a picture, but the active task words expects sounds"):
        answer(far, [sound, picture], tmp_path / "runs")
    assert sum(command.startswith("infer") for command in far.received) == 1


def test_arrays_are_answered_as_files_are(device: Make) -> None:
    far = board(device, "cifar", 3)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    with Session(far.path) as session:
        both = list(infer_images(session, images))
        (one,) = infer_images(session, images[0])
        assert [found.label for found in both] == ["b", "b"] and one.task == "cifar"
        for wrong in (images[:, :16], images.astype(np.int8), images[..., :1]):
            with pytest.raises(TaskError, match=r"takes uint8 of shape \(32, 32, 3\)"):
                infer_images(session, wrong)


def test_a_sound_for_a_task_of_pictures_is_refused(
    device: Make, picture: Path, sound: Path, tmp_path: Path
) -> None:
    for task, channels in (("digits", 1), ("cifar", 3), ("mine", 3)):
        far = board(device, task, channels)
        assert answer(far, [picture], tmp_path / "runs")
        with pytest.raises(TaskError, match=f"is a sound, but the active task {task} expects pic"):
            answer(far, [sound], tmp_path / "runs")


@pytest.mark.parametrize("own", ["words", "mine"])
def test_the_run_says_what_an_own_task_is_made_from(
    device: Make, picture: Path, sound: Path, tmp_path: Path, random_run: Any, own: str
) -> None:
    for kind, right, wrong in (("picture", picture, sound), ("sound", sound, picture)):
        data = tmp_path / kind / "data" / "train" / "a"
        data.mkdir(parents=True)
        (data / right.name).write_bytes(right.read_bytes())
        runs = tmp_path / kind / "runs"
        write_run(runs, f"{own}={data.parents[1]}", own, random_run)
        said: list[str] = []
        far = board(device, own)
        assert answer(far, [right], runs, said) and not said
        with pytest.raises(TaskError, match="but the active task"):
            answer(far, [wrong], runs)


def test_an_unknown_kind_is_said(
    device: Make, picture: Path, tmp_path: Path, random_run: Any
) -> None:
    said: list[str] = []
    answer(board(device, "mine"), [picture], tmp_path / "runs", said)
    assert "pictures or sounds is not known" in said[0]
    write_run(tmp_path / "runs", f"mine={tmp_path / 'gone'}", "mine", random_run)
    answer(board(device, "mine"), [picture], tmp_path / "runs", said)
    assert len(said) == 2


def test_scores_that_do_not_belong_to_the_classes_are_refused(
    device: Make, sound: Path, tmp_path: Path
) -> None:
    with pytest.raises(LinkError, match="2 scores for 1 classes"):
        answer(board(device, "words", labels=1), [sound], tmp_path)


def test_an_input_that_no_file_gives_is_refused(device: Make, sound: Path, tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="2 channels"):
        answer(board(device, "words", channels=2), [sound], tmp_path)


def test_durations_have_one_unit_and_a_mark(device: Make, sound: Path, tmp_path: Path) -> None:
    far = board(device, "words")
    (real,) = answer(far, [sound], tmp_path)
    assert (real.us, real.instructions, real.took) == (2500.0, None, "2.50 ms")
    emulation = load_board("qemu").emulator
    assert isinstance(emulation, Emulation)
    with Session(far.path, emulation) as session:
        (emulated,) = infer_files(session, [sound], tmp_path, print)
    assert (emulated.us, emulated.instructions) == (None, 78_125)
    assert emulated.took == "78,125 instructions (emulated)"


def test_each_row_comes_before_the_next_file_is_sent(
    device: Make, sound: Path, tmp_path: Path
) -> None:
    far = board(device, "words")
    files = [sound] * 3
    with Session(far.path) as session:
        lines: Iterator[str] = listing(files, infer_files(session, files, tmp_path, print))
        assert next(lines) == "task words"
        assert next(lines).split() == ["file", "label", "took", "scores"]
        assert next(lines).split() == [str(sound), "b", "2.50", "ms", "b", "75.0%,", "a", "25.0%"]
        assert sum(command.startswith("infer") for command in far.received) == 1


class Limited:
    """Answers two inferences and refuses the third."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, command: str) -> str | None:
        self.count += 1
        return RESULT if self.count <= 2 else "e-[limit: a limit of the licence is reached]"


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_answered_before_a_failure_is_printed(
    device: Make, sound: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    far = board(device, "words", infer=Limited())
    target = SimpleNamespace(open=lambda: Session(far.path))
    monkeypatch.setattr(options, "target", lambda *_: target)
    arguments = ["infer", *[str(sound)] * 4, *(["--json"] if as_json else [])]
    done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 1
    assert "2 of 4 files were answered" in str(done.exception)
    if as_json:
        document = json.loads(done.stdout)
        assert set(document) == {"task", "inputs", "error", "try"}
        assert document["task"] == "words"
        assert [one["label"] for one in document["inputs"]] == ["b", "b"]
        assert "2 of 4 files were answered" in document["error"]
    else:
        assert len(re.findall("word.wav", done.stdout)) == 2


def test_a_folder_is_no_sample(device: Make, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="is a folder") as caught:
        answer(board(device, "cifar", channels=3), [tmp_path], tmp_path)
    assert caught.value.fix == "Name a PNG, JPEG or WAV file."


def test_rows_reach_a_pipe_at_once(device: Make, sound: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "from rbnn.cli import options\n"
        "from rbnn.cli.main import build\n"
        "from rbnn.device.session import Session\n"
        "options.target = lambda *_: SimpleNamespace(open=lambda: Session(sys.argv[1]))\n"
        "build()(['infer', *sys.argv[2:]])\n"
    )
    seen, in_time = threading.Event(), list[bool]()

    def second(command: str) -> str:
        if far.received.count("infer 1 0") == 2:
            in_time.append(seen.wait(30))
        return RESULT

    far = board(device, "words", infer=second)
    running = subprocess.Popen(
        [sys.executable, "-c", script, far.path, str(sound), str(sound)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert running.stdout is not None
    early = [running.stdout.readline() for _ in range(3)]
    seen.set()
    rest, _ = running.communicate(timeout=60)
    assert (running.returncode, in_time) == (0, [True])
    assert str(sound) in early[2] and str(sound) in rest
