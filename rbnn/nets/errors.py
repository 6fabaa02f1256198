"""What can be wrong with a network before it is trained."""

from __future__ import annotations

from rbnn.errors import RbnnError


class NetworkError(RbnnError):
    """A network that devices cannot compute, or a description of one that cannot be read.

    Args:
        what: one sentence.
        fix: what would fit.
        layer: number of the layer at fault, where there is one.
    """

    def __init__(self, what: str, fix: str = "", *, layer: int | None = None) -> None:
        super().__init__(what, fix)
        self.layer = layer

    def at(self, place: str) -> NetworkError:
        """The same error, with the place in the user's file first."""
        return NetworkError(f"{place}: {self.what}", self.fix, layer=self.layer)
