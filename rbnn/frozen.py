"""The base of every document and record: immutable, and strict about its input."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class Frozen(BaseModel):
    """A pydantic model that cannot be changed and refuses unknown fields.

    Computed fields are written to JSON; when it is read back, they are computed again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_computed(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if key not in cls.model_computed_fields}


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a document: the place in it, if it has one, and what."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
