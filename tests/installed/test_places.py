"""Where an installed package builds, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rbnn import places
from rbnn.compiler import build_once, compiler
from rbnn.image import platformio, workplace
from rbnn.image.board import load_board
from rbnn.places import CacheError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package, with its cache in ``tmp_path / "cache"``."""
    shipped = tmp_path / "site-packages" / "rbnn" / "shipped"
    (shipped / "firmware").mkdir(parents=True)
    (shipped / "boards").mkdir()
    (shipped / "firmware" / "main.c").write_text("int x;\n")
    monkeypatch.setattr(places, "_SHIPPED", shipped)
    monkeypatch.setenv("RBNN_CACHE", str(tmp_path / "cache"))
    places._key.cache_clear()
    return shipped


def test_everything_that_is_made_is_in_the_users_cache(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert places.build_cache().is_relative_to(cache)
    assert places.third_party().is_relative_to(cache)
    assert places.firmware_folder() == installed / "firmware"
    assert places.boards_folder() == installed / "boards"


def test_other_sources_are_built_elsewhere(installed: Path) -> None:
    before = places.build_cache()
    assert places.build_cache() == before
    places._key.cache_clear()
    (installed / "firmware" / "main.c").write_text("int y;\n")
    assert places.build_cache() != before


def test_a_clone_builds_in_its_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RBNN_CACHE", str(tmp_path))
    assert places.build_cache() == places.repository() / ".cache"
    assert places.third_party() == places.firmware_folder() / "third_party"


def test_a_relative_cache_is_the_same_from_every_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBNN_CACHE", "here")
    assert places.cache_folder() == Path.cwd() / "here"


def test_what_changes_the_repository_is_refused(installed: Path) -> None:
    with pytest.raises(places.RbnnError, match="installed package") as caught:
        places.repository()
    assert "clone" in caught.value.fix


@pytest.mark.parametrize("below", ["cache", "cache/firmware", "cache/native"])
def test_a_cache_that_cannot_be_written_is_one_error(
    installed: Path, tmp_path: Path, below: str
) -> None:
    path = tmp_path / below
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file in the way")
    with pytest.raises(CacheError) as caught:
        with platformio._alone():
            pass
        source = tmp_path / "x.c"
        source.write_text("int main(void) { return 0; }\n")
        build_once("x", [compiler()], [source], [], places.cache_folder())
    assert str(path) in caught.value.what
    assert "RBNN_CACHE" in caught.value.fix


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_is_one_error(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o555)
    with pytest.raises(CacheError, match="Permission denied"), platformio._alone():
        pass


def test_only_one_process_is_alone(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from rbnn.places import alone\n"
        "folder = Path(sys.argv[1])\n"
        "with alone(folder, 'build'):\n"
        "    (folder / 'inside').mkdir()\n"
        "    time.sleep(0.2)\n"
        "    (folder / 'inside').rmdir()\n"
    )
    several = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(3)]
    assert [one.wait() for one in several] == [0, 0, 0]


def test_links_are_there_while_several_processes_make_them(tmp_path: Path) -> None:
    targets = [tmp_path / name for name in ("one", "two")]
    for target in targets:
        target.mkdir()
    link = tmp_path / "named" / "link"
    workplace._link(link, targets[0])
    stop = threading.Event()
    gone: list[bool] = []
    watcher = threading.Thread(
        target=lambda: [gone.append(True) for _ in iter(stop.is_set, True) if not link.exists()]
    )
    watcher.start()
    for number in range(500):
        workplace._link(link, targets[number % 2])
    stop.set()
    watcher.join()
    assert not gone


def test_models_in_folders_with_odd_names_do_not_share_a_link(tmp_path: Path) -> None:
    place = workplace.Workplace(tmp_path, tmp_path / "cache")
    links = [place.named_plainly(tmp_path / name) for name in ("it's", "it is")]
    assert len(set(links)) == 2
    assert [os.readlink(link) for link in links] == [
        str(tmp_path / "it's"),
        str(tmp_path / "it is"),
    ]


def test_a_compiler_without_its_library_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rbnn.image.errors import ToolError

    for name in ("arm-none-eabi-gcc", "arm-none-eabi-objcopy"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho nano.specs\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="newlib is not installed") as refusal:
        platformio.build(load_board("qemu"))
    assert "libnewlib-arm-none-eabi" in refusal.value.fix


@pytest.mark.parametrize(
    "platform, manager, command",
    [
        ("linux", "apt-get", "sudo apt-get install openocd"),
        ("linux", "dnf", "sudo dnf install openocd"),
        ("linux", "pacman", "sudo pacman -S openocd"),
        ("linux", "", "sudo apt-get install openocd"),
        ("darwin", "", "brew install open-ocd"),
    ],
)
def test_a_missing_program_names_the_command_of_this_system(
    platform: str, manager: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rbnn import programs

    monkeypatch.setattr(programs.sys, "platform", platform)  # type: ignore[attr-defined]
    if manager:
        (tmp_path / manager).write_text("#!/bin/sh\n")
        (tmp_path / manager).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.install_command("openocd") == command
