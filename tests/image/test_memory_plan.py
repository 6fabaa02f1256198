"""How a board's RAM is divided."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from random_networks import random_topology

from rbnn.container.container import Container
from rbnn.container.plan import plan
from rbnn.container.work import most_work_bytes
from rbnn.cost.predict import predict
from rbnn.image.board import Board, board_names, load_board
from rbnn.image.errors import FitError
from rbnn.image.memory import (
    APPLICATION_BYTES,
    plan_folder,
    plan_memory,
    share_memory,
    write_config,
)
from rbnn.nets.padding import pad


@pytest.fixture(scope="module")
def container(random_export: Callable[..., Any]) -> Container:
    made: Container = random_export(architecture="resnet", width=64).export.container
    return made


def with_ram(container: Container, left: int, **limits: int | None) -> Board:
    """A board with ``left`` bytes more than the model needs at least."""
    board = load_board("nucleo")
    layout = container.plan
    params = max(len(task.sealed) for task in container.tasks) - 28
    least = APPLICATION_BYTES + board.stack_bytes + layout.arena_bytes + params + layout.work_bytes
    ram = board.ram.model_copy(update={"bytes": least + left})
    usual: dict[str, Any] = {"work_bytes": None, "resident_bytes": None, **limits}
    return board.model_copy(update={"ram": ram, **usual})


def most(container: Container) -> int:
    return max(most_work_bytes(layer) for layer in container.topology.layers)


def test_the_least_is_enough(container: Container) -> None:
    memory = plan_memory(with_ram(container, 0), container)
    assert (memory.work, memory.resident_layers) == (container.plan.work_bytes, ())
    assert memory.mode == "streaming"


def test_one_byte_less_is_refused_with_the_numbers(container: Container) -> None:
    board = with_ram(container, -1)
    with pytest.raises(
        FitError, match=r"nucleo: RAM needs [\d,]+ bytes of [\d,]+ \(1 too many\)"
    ) as (refusal):
        plan_memory(board, container)
    assert f"activations {container.plan.arena_bytes:,}" in refusal.value.what
    assert refusal.value.fix


def test_remaining_ram_is_used_where_it_saves_most(container: Container) -> None:
    topology = container.topology
    sizes = [place.weights_bytes for place in container.plan.placements]

    def instructions(work: int, resident: tuple[int, ...]) -> int:
        return sum(cost.instructions for cost in predict(topology, work, resident))

    least, gap = container.plan.work_bytes, most(container) - container.plan.work_bytes
    before = instructions(least, ())
    for left in (gap // 8 * 4, gap // 4 * 4, gap + max(sizes), gap + 3 * max(sizes)):
        memory = plan_memory(with_ram(container, left), container)
        assert least <= memory.work <= least + left and memory.work % 4 == 0
        assert memory.work + memory.resident <= least + left
        assert memory.resident == sum(sizes[number] for number in memory.resident_layers)
        found = instructions(memory.work, memory.resident_layers)
        # Never worse than all of it as working memory, nor than a plan with less memory.
        assert found <= instructions(min(least + left, most(container)) // 4 * 4, ())
        assert found <= before
        before = found
    every = plan_memory(with_ram(container, 10_000_000), container)
    assert every.work == most(container) and every.resident == sum(sizes)
    assert every.resident_layers == tuple(n for n, size in enumerate(sizes) if size)


def test_a_manifest_limits_both(container: Container) -> None:
    least = container.plan.work_bytes
    board = with_ram(container, 10_000_000, work_bytes=least + 400, resident_bytes=0)
    memory = plan_memory(board, container)
    assert (memory.work, memory.resident) == (least + 400, 0)
    board = with_ram(container, 10_000_000, work_bytes=4)
    assert plan_memory(board, container).work == least


@pytest.mark.parametrize("name", board_names())
def test_the_whole_plan_fits_the_board(container: Container, name: str) -> None:
    board = load_board(name)
    memory = plan_memory(board, container)
    used = memory.arena + memory.params + memory.work + memory.resident
    assert used + APPLICATION_BYTES + board.stack_bytes <= board.ram.bytes
    if name == "qemu":
        assert memory.mode == "streaming"


@pytest.mark.parametrize("name", board_names())
def test_every_graph_that_the_kernels_serve_has_a_plan(name: str) -> None:
    """Whatever the cost model was fitted to."""
    board = load_board(name)
    for seed in range(150):
        topology = pad(random_topology(seed)).topology
        layout = plan(topology)
        memory = share_memory(board, topology, layout, params=4096)
        assert layout.work_bytes <= memory.work
        assert memory.resident == sum(
            layout.placements[number].weights_bytes for number in memory.resident_layers
        )


def test_the_header_states_the_plan(container: Container, tmp_path: Path) -> None:
    memory = dataclasses.replace(
        plan_memory(with_ram(container, 0), container), resident_layers=(1, 40), resident=96
    )
    text = memory.config_header()
    assert f"#define RBNN_MODEL_WORK_BYTES {memory.work}u" in text
    assert "#define RBNN_MODEL_RESIDENT_LAYERS 0x10000000002u" in text
    assert "#define RBNN_MODEL_RESIDENT_BYTES 96u" in text
    write_config(memory, tmp_path)
    before = (tmp_path / "model_memory.h").stat().st_mtime_ns
    write_config(memory, tmp_path)
    assert (tmp_path / "model_memory.h").stat().st_mtime_ns == before


def test_a_folder_without_a_container_has_no_plan(tmp_path: Path) -> None:
    assert plan_folder(load_board("qemu"), tmp_path) is None
