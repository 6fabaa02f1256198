"""What a package has for each operator, in modules named after the operators."""

from __future__ import annotations

import importlib
from typing import Generic, TypeVar

from rbnn.spec.operators import Operator

Piece = TypeVar("Piece")


class PerOperator(Generic[Piece]):
    """One piece for each operator.

    Args:
        package: has a module named after each operator. It is imported when the operator's piece is
            first asked for, and registers it.

    Attributes:
        pieces: those registered so far, by operator name.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self.pieces: dict[str, Piece] = {}

    def register(self, operator: Operator, piece: Piece) -> None:
        """Register ``piece`` for the operator."""
        self.pieces[operator.name] = piece

    def __getitem__(self, operator: Operator) -> Piece:
        """The operator's piece.

        Raises:
            ModuleNotFoundError: the package has no module with the operator's name.
        """
        if operator.name not in self.pieces:
            importlib.import_module(f"{self._package}.{operator.name}")
        return self.pieces[operator.name]
