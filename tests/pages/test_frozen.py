"""The base of all documents: strict, immutable, and read back with its computed fields."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError, computed_field

from rbnn.errors import RbnnError
from rbnn.frozen import Frozen, read_document, write_document


class Square(Frozen):
    """A document with a computed field."""

    side: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def area(self) -> int:
        """Of the square."""
        return self.side**2


def test_a_computed_field_is_written_and_computed_again_when_read() -> None:
    text = Square(side=3).model_dump_json()
    assert text == '{"side":3,"area":9}'
    assert Square.model_validate_json(text) == Square(side=3)
    assert Square.model_validate_json('{"side":3,"area":10}').area == 9


def test_unknown_fields_and_changes_are_refused() -> None:
    with pytest.raises(ValidationError):
        Square.model_validate({"side": 3, "colour": "red"})
    with pytest.raises(ValidationError):
        Square(side=3).side = 4  # type: ignore[misc]


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    assert read_document(Square, path, "Delete it.") is None
    write_document(Square(side=3), path)
    assert read_document(Square, path, "Delete it.") == Square(side=3)


@pytest.mark.parametrize("text", ["", "{", '{"unknown": 1}', "\xff"])
def test_a_damaged_document_is_named_with_its_fix(tmp_path: Path, text: str) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RbnnError, match=r"one\.json") as caught:
        read_document(Square, path, "Delete it.")
    assert caught.value.fix == "Delete it."


def test_a_document_that_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RbnnError, match="Not a directory") as caught:
        read_document(Square, tmp_path / "file" / "one.json", "Choose another folder.")
    assert "damaged" not in caught.value.what
