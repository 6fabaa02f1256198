"""What does not fit a board is refused before its firmware is built, with the figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rbnn.image.board import Board, load_board
from rbnn.image.errors import FitError
from rbnn.image.fit import CODE_BYTES, check_model, check_network, flash_excess


def with_flash(size: int) -> Board:
    board = load_board("nucleo")
    return board.model_copy(update={"flash": board.flash.model_copy(update={"bytes": size})})


def test_the_figures_before_training_are_those_of_the_export(
    random_export: Callable[..., Any],
) -> None:
    made = random_export(architecture="resnet", width=64)
    config, size = made.run.config(), len(made.export.container.data)
    labels = [task.labels for task in config.tasks]
    enough, short = with_flash(CODE_BYTES + size), with_flash(CODE_BYTES + size - 1_000)
    check_model(enough, made.export.container)
    with pytest.raises(FitError, match=r"flash needs about [\d,]+ bytes .*\(1,000 too many\)"):
        check_model(short, made.export.container)
    with pytest.raises(FitError, match="flash needs about"):
        check_network(short, config.topology(), labels)
    # All tasks are taken to be as large as the largest.
    check_network(with_flash(CODE_BYTES + size + 1_000), config.topology(), labels)


def test_both_memories_are_named(random_export: Callable[..., Any]) -> None:
    board = with_flash(60_000)
    board = board.model_copy(update={"ram": board.ram.model_copy(update={"bytes": 30_000})})
    with pytest.raises(FitError, match=r"flash needs about .*; RAM needs .*too many") as refusal:
        check_model(board, random_export().export.container)
    assert "rbnn nets --board nucleo" in refusal.value.fix


def test_a_model_of_more_than_a_megabyte_does_not_fit_the_nucleo() -> None:
    assert "bytes of 458,752" in flash_excess(load_board("nucleo"), 1_145_760)
