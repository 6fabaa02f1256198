"""rbnn.Board: what is refused before a board is touched."""

from __future__ import annotations

import pytest

import rbnn


def test_a_real_board_has_no_switch() -> None:
    with pytest.raises(rbnn.RbnnError, match="is real"):
        rbnn.Board("nucleo", port="/dev/null").power_off()


def test_a_board_that_does_not_exist_is_named() -> None:
    with pytest.raises(rbnn.RbnnError, match="nuklio"):
        rbnn.Board("nuklio")
