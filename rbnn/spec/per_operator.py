"""What a room has for each operator, held in modules of the operators' names."""

from __future__ import annotations

import importlib
from typing import Generic, TypeVar

from rbnn.spec.operators import Operator

Piece = TypeVar("Piece")


class PerOperator(Generic[Piece]):
    """One piece for each operator.

    Args:
        package: that holds a module of each operator's name. It is imported when its piece is asked
            for first, and registers it.

    Attributes:
        pieces: by the operator's name, so far.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self.pieces: dict[str, Piece] = {}

    def register(self, operator: Operator, piece: Piece) -> None:
        """Make ``piece`` the operator's."""
        self.pieces[operator.name] = piece

    def __getitem__(self, operator: Operator) -> Piece:
        """The operator's piece.

        Raises:
            ModuleNotFoundError: the package has no module of the operator's name.
        """
        if operator.name not in self.pieces:
            importlib.import_module(f"{self._package}.{operator.name}")
        return self.pieces[operator.name]
