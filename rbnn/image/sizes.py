"""How much of its board's flash and RAM an image takes, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from rich.table import Table

from rbnn.container.sizes import measure
from rbnn.export.export import Export
from rbnn.frozen import Frozen
from rbnn.image.errors import BuildError, FitError
from rbnn.image.linkmap import Piece, pieces
from rbnn.image.platformio import BuildResult
from rbnn.spec.layout import (
    HELPER_RECORD_PADDED_BYTES,
    LICENCE_BYTES,
    PROVISIONING_HEADER,
)
from rbnn.spec.partition import SIGNED_MODEL_HEADER

ENGINE = "engine"
ARENA = "activations"
WORK = "tables and tiles"
PARAMS = "task parameters"
RESIDENT = "resident weights"
LINK = "serial link and port"
AUDIO = "audio"
CRYPTO = "crypto"
KEYS = "fingerprint and licences"
LIBRARIES = "libraries"
SHARED = "shared parameters"
STACK = "stack reserve"
NOINIT = "fingerprint region"
ALIGNMENT = "alignment"

_FOLDERS = {
    "core": ENGINE,
    "core_rarely": ENGINE,
    "reconf": ENGINE,
    "crypto": CRYPTO,
    "crypto_rarely": CRYPTO,
    "monocypher": CRYPTO,
    "puf": KEYS,
    "licence": KEYS,
    "store": KEYS,
    "audio": AUDIO,
    "partition": KEYS,
    "link": LINK,
    "port": LINK,
    "src": LINK,
    "device": KEYS,
}
# app/main.c owns all static memory: the part to which each of its variables belongs.
_STATICS = {
    ".bss.device": KEYS,
    ".bss.update": KEYS,
    ".bss.arena": ARENA,
    ".bss.work": WORK,
    ".bss.params": PARAMS,
    ".bss.resident": RESIDENT,
    ".bss.listener": AUDIO,
}
_IN_FLASH = frozenset({".vectors", ".text", ".ARM.exidx", ".data"})
_IN_RAM = frozenset({".data", ".bss", ".stack"})
_IMAGE_SYMBOL = "rbnn_model_image"


class PartSize(Frozen):
    """Bytes of one part of the image."""

    part: str
    flash: int
    ram: int


class SizeReport(Frozen):
    """Bytes of an image, by part, and its board's limits.

    ``provisioning`` counts the partition's header, the helper record and one licence per task.
    ``model`` is what a model in a partition of its own takes there; 0 for one in the image.
    ``weights`` says which layers stay reconfigured: ``streaming`` for none, empty without a model.
    """

    board: str
    parts: tuple[PartSize, ...]
    flash: int
    flash_limit: int
    ram: int
    ram_limit: int
    stack: int
    provisioning: int
    provisioning_limit: int
    weights: str = ""
    model: int = 0
    model_limit: int = 0


def _signed_bytes(export: Export) -> int:
    """Bytes of a model in its partition."""
    return SIGNED_MODEL_HEADER.size + len(export.container.data)


def report(build: BuildResult, export: Export | None = None) -> SizeReport:
    """Measure a finished build.

    Args:
        build: what :func:`rbnn.image.platformio.build` returned.
        export: the export that was built; None for a firmware without a model.

    Raises:
        BuildError: the ELF or map file cannot be read, or the image holds another model than
            ``export``.
        FitError: the image does not fit; the message holds the numbers.
    """
    try:
        sections, image_bytes = _read_elf(build.elf)
        found = list(pieces(build.map.read_text()))
    except (OSError, ELFError) as error:
        raise BuildError(f"Cannot measure {build.elf}: {error}.", "Build again.") from error
    container_bytes = len(export.container.data) if export and not build.partition else 0
    if image_bytes != container_bytes:
        raise BuildError(
            f"{build.elf} holds a model of {image_bytes} bytes, not the one of {container_bytes}.",
            "Build again.",
        )
    flash = _by_part(found, sections, _IN_FLASH)
    ram = _by_part(found, sections, _IN_RAM)
    ram[NOINIT] += build.board.noinit.bytes
    tasks = 0
    if export is not None and build.partition:
        tasks = len(export.container.tasks)
    elif export is not None:
        model = measure(export.container)
        tasks = len(model.tasks)
        flash[SHARED] += model.shared
        for task in model.tasks:
            flash[f"task {task.name}"] += task.record + task.sealed
        flash[ALIGNMENT] += image_bytes - model.shared
        flash[ALIGNMENT] -= sum(task.record + task.sealed for task in model.tasks)
    names = [*dict.fromkeys([*flash, *ram])]
    names.sort(key=lambda name: name in (ALIGNMENT, STACK, NOINIT))
    made = SizeReport(
        board=build.board.name,
        parts=tuple(
            PartSize(part=name, flash=flash[name], ram=ram[name])
            for name in names
            if flash[name] or ram[name]
        ),
        flash=sum(flash.values()),
        flash_limit=build.board.program_bytes(build.partition is not None),
        ram=sum(ram.values()),
        ram_limit=build.board.ram.bytes + build.board.noinit.bytes,
        stack=build.board.stack_bytes,
        provisioning=PROVISIONING_HEADER.size + HELPER_RECORD_PADDED_BYTES + LICENCE_BYTES * tasks,
        provisioning_limit=build.board.provisioning.bytes,
        weights=build.memory.mode if build.memory else "",
        model=_signed_bytes(export) if export and build.partition else 0,
        model_limit=build.board.model.bytes if build.board.model and build.partition else 0,
    )
    check_fits(made)
    return made


def check_fits(sizes: SizeReport) -> None:
    """Refuse an image that is larger than its board.

    Raises:
        FitError: names every memory that is too small, with both numbers.
    """
    compared = (
        ("flash", sizes.flash, sizes.flash_limit),
        ("RAM", sizes.ram, sizes.ram_limit),
        ("the provisioning partition", sizes.provisioning, sizes.provisioning_limit),
        ("the model partition", sizes.model, sizes.model_limit),
    )
    said = [
        f"{name} needs {used:,} bytes of {limit:,} ({used - limit:,} too many)"
        for name, used, limit in compared
        if used > limit
    ]
    if said:
        raise FitError(
            f"The image does not fit board {sizes.board}: {'; '.join(said)}.",
            "Train a narrower network (rbnn train --width) or choose a larger board.",
        )


def table(sizes: SizeReport) -> Table:
    """The report as a table for the terminal."""
    grid = Table(title=f"Image for {sizes.board}, bytes", title_justify="left")
    grid.add_column("part")
    grid.add_column("flash", justify="right")
    grid.add_column("RAM", justify="right")
    for part in sizes.parts:
        grid.add_row(part.part, _bytes(part.flash), _bytes(part.ram))
    grid.add_section()
    grid.add_row("total", _bytes(sizes.flash), _bytes(sizes.ram))
    grid.add_row("board", _bytes(sizes.flash_limit), _bytes(sizes.ram_limit))
    grid.add_row("provisioning", f"{sizes.provisioning:,} of {sizes.provisioning_limit:,}", "")
    if sizes.model:
        grid.add_row("model partition", f"{sizes.model:,} of {sizes.model_limit:,}", "")
    if sizes.weights:
        grid.caption = f"Weights: {sizes.weights}"
        grid.caption_justify = "left"
    return grid


def _bytes(count: int) -> str:
    return f"{count:,}" if count else ""


def _read_elf(path: Path) -> tuple[dict[str, int], int]:
    """Sizes of the sections, and of the model's symbol (0 without one)."""
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        sections = {section.name: int(section["sh_size"]) for section in elf.iter_sections()}
        symbols = elf.get_section_by_name(".symtab")
        image = symbols.get_symbol_by_name(_IMAGE_SYMBOL) if symbols else None
        return sections, int(image[0]["st_size"]) if image else 0


def _by_part(
    found: Iterable[Piece], sections: dict[str, int], wanted: frozenset[str]
) -> Counter[str]:
    """Bytes per part in the ``wanted`` output sections; what no object claims is alignment."""
    total: Counter[str] = Counter()
    for piece in found:
        if piece.output in wanted and _IMAGE_SYMBOL not in piece.section:
            total[_part(piece)] += piece.size
    model = sum(
        piece.size
        for piece in found
        if piece.output in wanted and piece.section.endswith(f".{_IMAGE_SYMBOL}")
    )
    stack = sections.get(".stack", 0) if ".stack" in wanted else 0
    if stack:
        total[STACK] += stack
    every = sum(sections.get(name, 0) for name in wanted)
    total[ALIGNMENT] += every - model - sum(total.values())
    return total


def _part(piece: Piece) -> str:
    if ".a(" in piece.object:
        return LIBRARIES
    folders = Path(piece.object).parts[-4:]  # what comes before is the user's choice of a place
    if piece.section in _STATICS and "src" in folders:
        return _STATICS[piece.section]
    return next((_FOLDERS[name] for name in reversed(folders) if name in _FOLDERS), LINK)
