"""The base of every document and record: immutable, and strict about its input."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from rbnn.errors import RbnnError
from rbnn.files import write_atomic


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


Document = TypeVar("Document", bound=Frozen)


def read_document(kind: type[Document], path: Path, fix: str) -> Document | None:
    """What a JSON file holds; None if there is none.

    Args:
        kind: of the document.
        path: of the file.
        fix: what to do about a file that cannot be used.

    Raises:
        RbnnError: it cannot be read, is damaged, or is of another version.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RbnnError(f"Cannot read {path}: {error.strerror}.", fix) from error
    except ValidationError as error:
        raise RbnnError(
            f"Cannot read {path}: it is damaged or from another version of rbnn.", fix
        ) from error


def write_document(document: Frozen, path: Path) -> None:
    """Write a document as JSON.

    Raises:
        RbnnError: the file cannot be written.
    """
    write_atomic(path, document.model_dump_json(indent=1) + "\n")
