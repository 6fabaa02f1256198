"""Real builds with PlatformIO, and the errors of builds that fail."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from rbnn.image import platformio, sizes, toolchain
from rbnn.image.board import board_names, load_board
from rbnn.image.errors import BuildError, FitError, PublishedModelError, ToolError
from rbnn.image.fit import LISTENING_BYTES, code_bytes
from rbnn.image.memory import APPLICATION_BYTES, application_bytes
from rbnn.places import firmware_folder
from rbnn.spec.audio import LISTENER_BYTES
from rbnn.spec.published import TEST_ONLY_PROVIDER_PUBLIC
from rbnn.spec.puf import PATTERN_BYTES

needs_compiler = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
CONFIG = """#define RBNN_MODEL_ARENA_BYTES {arena}u
#define RBNN_MODEL_WORK_BYTES 64u
#define RBNN_MODEL_PARAMS_BYTES 64u
"""
IMAGE = """#include "core/model_image.h"
const uint8_t rbnn_model_image[{size}] = {{1}};
const uint32_t rbnn_model_image_bytes = {size}u;
"""


def write_model(folder: Path, *, size: int = 16, arena: int = 64, extra: str = "") -> Path:
    folder.mkdir()
    (folder / "model_config.h").write_text(CONFIG.format(arena=arena))
    (folder / "model_image.c").write_text(IMAGE.format(size=size) + extra)
    return folder


def _loaded(elf: Path) -> int:
    """Bytes that an upload writes."""
    with elf.open("rb") as stream:
        return sum(
            segment["p_filesz"]
            for segment in ELFFile(stream).iter_segments()
            if segment["p_type"] == "PT_LOAD"
        )


@needs_compiler
@pytest.mark.parametrize("name", board_names())
def test_size_report_of_a_real_image(name: str, random_export: Callable[..., Any]) -> None:
    export = random_export().export
    built = platformio.build(load_board(name), export.folder)
    report = sizes.report(built, export)
    assert 0 <= _loaded(built.elf) - report.flash < 16  # sections are aligned
    parts = {part.part: part for part in report.parts}
    assert parts["shared parameters"].flash > 10_000
    assert {"task colour", "task grey", "crypto", "engine", "libraries"} <= set(parts)
    assert parts["stack reserve"].ram == built.board.stack_bytes == report.stack
    assert 0 <= parts["alignment"].flash < 512
    assert built.memory is not None and report.weights == built.memory.mode
    assert parts["activations"].ram == built.memory.arena == export.container.plan.arena_bytes
    assert parts["tables and tiles"].ram == built.memory.work
    resident = parts["resident weights"].ram if "resident weights" in parts else 0
    assert resident == built.memory.resident
    assert 0 <= parts["task parameters"].ram - built.memory.params < 4
    # What memory.py assumes about everything else.
    model_parts = {"activations", "tables and tiles", "resident weights", "task parameters"}
    excluded = {"stack reserve", "fingerprint region"}
    rest = sum(part.ram for part in report.parts if part.part not in model_parts | excluded)
    assert APPLICATION_BYTES - 4096 < rest <= APPLICATION_BYTES
    with pytest.raises(BuildError, match="holds a model of"):
        sizes.report(built, None)


@needs_compiler
@pytest.mark.parametrize("name", ["qemu", "nucleo"])
def test_code_takes_48_kb_at_most(name: str, random_export: Callable[..., Any]) -> None:
    """The whole application except its model, a resnet of about 480,000 bits."""
    export = random_export(architecture="resnet", width=64).export
    built = platformio.build(load_board(name), export.folder)
    assert sizes.report(built, export).flash - len(export.container.data) <= 48 * 1024
    with built.elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        symbols = {symbol.name for symbol in table.iter_symbols()}
    assert "rbnn_stage_residual_loop" in symbols
    # What no layer of a resnet needs, and what the device's own cipher replaces.
    assert not {"rbnn_stage_rprelu_loop", "rbnn_table_add_32", "rbnn_dense"} & symbols
    assert "rbnn_link_trace" not in symbols, "a release build shows no layer"
    assert not {"rbnn_audio_column", "rbnn_listener_take", "rbnn_link_audio"} & symbols
    assert not {"crypto_chacha20_djb", "crypto_aead_lock", "__aeabi_uldivmod"} & symbols


@needs_compiler
def test_only_a_model_with_a_task_of_sounds_has_ears(random_export: Callable[..., Any]) -> None:
    """Front end, listener and their command on top of the 48 KB, within what `fit` reserves."""
    export = random_export(architecture="resnet", width=64, sounds=("grey",)).export
    built = platformio.build(load_board("nucleo"), export.folder)
    report = sizes.report(built, export)
    code = report.flash - len(export.container.data)
    assert 48 * 1024 < code <= 48 * 1024 + LISTENING_BYTES
    assert code <= code_bytes(takes_sound=True)
    (ears,) = [part for part in report.parts if part.part == "audio"]
    assert ears.ram == LISTENER_BYTES and ears.flash <= 4_096
    assert built.memory is not None
    model = built.memory.arena + built.memory.params + built.memory.work + built.memory.resident
    rest = report.ram - model - built.board.stack_bytes - built.board.noinit.bytes
    assert application_bytes(takes_sound=True) - 4096 < rest <= application_bytes(takes_sound=True)


@needs_compiler
@pytest.mark.parametrize("name", board_names())
def test_addresses_and_symbols_of_a_real_image(name: str) -> None:
    board = load_board(name)
    built = platformio.build(board)
    with built.elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        symbols = {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}
    assert symbols["puf_region"] == board.puf.address
    assert board.puf.end <= symbols["marker"] < board.noinit.end
    assert symbols["rbnn_provisioning_start"] == board.provisioning.address
    assert symbols["rbnn_provisioning_end"] == board.provisioning.end
    assert symbols["rbnn_stack_bottom"] == board.ram.address
    assert symbols["rbnn_stack_top"] - symbols["rbnn_stack_bottom"] == board.stack_bytes
    assert symbols["puf_region"] + PATTERN_BYTES <= symbols["marker"]
    heap = {"malloc", "_malloc_r", "free", "_free_r", "calloc", "realloc", "_sbrk", "_sbrk_r"}
    assert not heap & set(symbols)
    assert sizes.report(built).provisioning < board.provisioning.bytes


@needs_compiler
def test_flash_overflow_is_refused_with_the_numbers(tmp_path: Path) -> None:
    board = load_board("nucleo")
    with pytest.raises(FitError, match=r"nucleo: flash needs [\d,]+ bytes of 458,752") as refusal:
        platformio.build(board, write_model(tmp_path / "model", size=450_000))
    assert "too many" in refusal.value.what


@needs_compiler
def test_ram_overflow_is_refused_with_the_numbers(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"ram needs [\d,]+ bytes of 127,488"):
        platformio.build(load_board("nucleo"), write_model(tmp_path / "model", arena=200_000))


@needs_compiler
def test_compiler_error_is_shown(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", extra="int broken = ;\n")
    with pytest.raises(BuildError, match=r"model_image\.c:\d+:\d+: error: ") as refusal:
        platformio.build(load_board("qemu"), model)
    assert "build.log" in refusal.value.fix


@needs_compiler
def test_compiler_warning_is_an_error(tmp_path: Path) -> None:
    extra = "char narrow(int wide);\nchar narrow(int wide) { return wide; }\n"
    with pytest.raises(BuildError, match=r"Werror=conversion"):
        platformio.build(load_board("qemu"), write_model(tmp_path / "model", extra=extra))


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("the missing compiler is reported first")
    with pytest.raises(BuildError, match="holds no exported model"):
        platformio.build(load_board("qemu"), tmp_path)


def test_missing_compiler_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match="arm-none-eabi-gcc is not installed") as refusal:
        platformio.build(load_board("qemu"))
    assert "apt-get install gcc-arm-none-eabi" in refusal.value.fix


def test_missing_openocd_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match="openocd is not installed") as refusal:
        platformio.upload(load_board("nucleo"), None, "066DFF52")
    assert "apt-get install openocd" in refusal.value.fix


def test_an_emulated_board_takes_no_upload() -> None:
    with pytest.raises(BuildError, match="emulated"):
        platformio.upload(load_board("qemu"), None, "066DFF52")


@pytest.mark.skipif(
    not (shutil.which("openocd") and shutil.which("arm-none-eabi-gcc")),
    reason="apt-get install openocd gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
def test_upload_without_a_probe_says_so() -> None:
    if list(Path("/dev/serial/by-id").glob("*STLINK*")):
        pytest.skip("an ST-LINK is plugged in")
    with pytest.raises(BuildError, match=r"The upload to ST Nucleo F446RE failed: Error: "):
        platformio.upload(load_board("nucleo"), None, "066DFF52")


def test_dry_run_shows_the_command(tmp_path: Path) -> None:
    (line,) = platformio.upload_commands(load_board("nucleo"), tmp_path / "my model", "066DFF52")
    assert "RBNN_PROBE_SERIAL=066DFF52 " in line
    assert "--environment nucleo --target upload" in line
    (shown,) = (part for part in shlex.split(line) if part.startswith("RBNN_MODEL_DIR="))
    # PlatformIO sees a plain name for it.
    assert Path(shown.partition("=")[2]).readlink() == tmp_path / "my model"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("a.c:1:2: warning: w\na.c:3:4: error: bad\nmore", "a.c:3:4: error: bad"),
        ("x\nld: a.o: undefined reference to `f'\n", "ld: a.o: undefined reference to `f'"),
        ("Info : x\nError: open failed\n*** [upload] Error 1", "Error: open failed"),
        ("one\n=====\n----", "one"),
        ("", "it printed nothing"),
    ],
)
def test_first_error(output: str, said: str) -> None:
    assert platformio.first_error(output) == said


def test_core_folder_needs_no_registry() -> None:
    package = toolchain.prepare_core() / "packages" / "tool-scons"
    assert {path.name for path in package.iterdir()} >= {"package.json", ".piopm", "scons.py"}
    before = (package / "scons.py").stat().st_mtime_ns
    toolchain.prepare_core()
    assert (package / "scons.py").stat().st_mtime_ns == before


@needs_compiler
def test_a_model_with_published_keys_is_built_only_on_request(
    random_export: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = random_export(provider_public=TEST_ONLY_PROVIDER_PUBLIC).export.folder
    board = load_board("qemu")
    with pytest.raises(PublishedModelError, match="TEST-ONLY"):
        platformio.build(board, folder)
    assert platformio.build(board, folder, test_only=True).bin.is_file()
    assert "RBNN_ALLOW_TEST_ONLY=1" in platformio.upload_commands(board, folder, "066DFF52")[0]
    # PlatformIO on its own, as if started by hand.
    monkeypatch.setattr(platformio, "is_published", lambda _: False)
    with pytest.raises(BuildError, match="TEST-ONLY"):
        platformio.build(board, folder)


def test_rooms_whose_objects_serve_every_build_ask_for_nothing_that_is_defined_for_one() -> None:
    firmware = firmware_folder()
    builder = (firmware / "platform" / "builder" / "main.py").read_text()
    (rooms,) = re.findall(r"^ALIKE = \((.*)\)$", builder, re.M)
    alike = set(re.findall(r'"(\w+)"', rooms))
    defined = set(re.findall(r'^ *defined(?: = \{|\[)"(\w+)"', builder, re.M))
    assert {"RBNN_BOARD", "RBNN_DEVELOPMENT", "RBNN_PARTITION"} <= defined and "core" in alike
    for path in (one for room in alike for one in (firmware / room).rglob("*.[chS]")):
        text = path.read_text()
        assert not [macro for macro in defined if re.search(rf"\b{macro}\b", text)], path
        assert set(re.findall(r'#include "(\w+)/', text)) <= alike | {"spec"}, path
