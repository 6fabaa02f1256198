"""The base of all documents: strict, immutable, and read back with its computed fields."""

from __future__ import annotations

import pytest
from pydantic import ValidationError, computed_field

from rbnn.frozen import Frozen


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
