"""Documents name files that exist, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_imports import ORDER as ROOMS
from test_includes import ORDER as FOLDERS

import rbnn

REPOSITORY = Path(rbnn.__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"))
    if path.name != "CHANGELOG.md"
)
PLACE = re.compile(r"`((?:rbnn(?!/v1/)|firmware|tests|boards|docs|models|\.ci)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")
MADE = ("firmware/model", "firmware/third_party", "rbnn/shipped")
"""Folders that the set-up step, builds and the wheel make."""
EXAMPLES = {"docs/adding-an-operator.md"}
"""Documents whose example is not part of the tree."""


def anchors(document: Path) -> set[str]:
    """The headings of a document as links name them."""
    heads = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.replace(" ", "-") for head in plain}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_named_files_exist(path: Path) -> None:
    if path.relative_to(REPOSITORY).as_posix() in EXAMPLES:
        pytest.skip("its example names files that the reader writes")
    named = set(PLACE.findall(path.read_text()))
    placeholders = {name for name in named if re.search(r"\b(NAME|FAMILY|RUN)\b", name)}
    missing = {
        name
        for name in named - placeholders
        if not name.startswith(MADE) and not (REPOSITORY / name).exists()
    }
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    for place, anchor in LINK.findall(path.read_text()):
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), f"{path.name} links to {place}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{path.name} links to {place}#{anchor}"


def test_the_architecture_page_and_its_picture_name_every_room_and_folder() -> None:
    page = (REPOSITORY / "ARCHITECTURE.md").read_text()
    picture = (REPOSITORY / "docs" / "architecture.svg").read_text()
    drawn = set(re.findall(r'text-anchor="middle">(\w+)</text>', picture))
    folders = {folder.split("/")[0] for folder in FOLDERS}
    listed = re.findall(r"`(\w+)/`", page)
    for name in {*ROOMS, *folders}:
        assert name in drawn, f"{name} is not in the picture"
        assert name in listed, f"{name} is not on the page"
    order = [name for name in re.findall(r"^\| `(\w+)/` \|", page, re.M) if name in ROOMS]
    assert order[: len(ROOMS)] == list(ROOMS)
