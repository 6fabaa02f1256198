"""Two operators that the tree does not have, added for a test as a new operator is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from toys.min_pool import MIN_POOL, MinPool
from toys.row_dense import ROW_DENSE, RowDense
from toys.toys import KERNELS, Toys, build_engine

from rbnn.operators.workings import WORKINGS
from rbnn.spec.header import render
from rbnn.spec.operators import OPERATORS


@contextmanager
def registered() -> Iterator[None]:
    """Both operators are there, and gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for operator, workings in ((MIN_POOL, MinPool()), (ROW_DENSE, RowDense())):
            patch.setitem(OPERATORS, operator.number, operator)
            patch.setitem(WORKINGS.pieces, operator.name, workings)
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Toys:
    """The generated header, and the engine with it."""
    folder = tmp_path_factory.mktemp("toys")
    header = folder / "spec" / "rbnn_spec.h"
    header.parent.mkdir()
    with registered():
        header.write_text(render())
    return Toys(folder, build_engine(folder, KERNELS))


@pytest.fixture
def toys(built: Toys) -> Iterator[Toys]:
    """Both operators, for one test."""
    with registered():
        yield built
