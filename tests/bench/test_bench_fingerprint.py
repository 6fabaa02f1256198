"""`rbnn bench fingerprint`: its figures, its page, and what it says about unreadable read-outs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rbnn.bench.fingerprint import measure as fingerprint
from rbnn.bench.fingerprint.masks import measure_masks
from rbnn.bench.fingerprint.readouts import read_boards
from rbnn.bench.fingerprint.tables import document
from rbnn.errors import RbnnError
from rbnn.keys.fingerprint import Fingerprint
from rbnn.spec import puf

PAGE = Path(__file__).parents[2] / "docs" / "fingerprint.md"


def test_the_page_holds_the_computed_rows() -> None:
    figures = fingerprint.measure(None)
    table = document(figures).partition("## Every bias")[2]
    assert table.strip() in PAGE.read_text()
    for row in figures.biases:
        assert row.residual >= 128 and row.estimate >= 128
        assert row.failure_20 <= 1e-5


@pytest.mark.parametrize(("ones", "bits"), [(0.5, 748), (0.7, 0), (1.0, 0)])
def test_version_1_left_nothing_to_biased_cells(ones: float, bits: int) -> None:
    assert fingerprint.old_residual(ones) == pytest.approx(bits)


def test_made_up_boards_are_enrolled_read_and_guessed(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sound = Fingerprint.draw(1, pattern_bytes=puf.PATTERN_BYTES)
    odd = np.arange(8 * puf.PATTERN_BYTES) // 32 % 2 == 1
    readings = {f"sound_{i}": sound.power_up(0.05, rng) for i in range(3)}
    biased = np.packbits(rng.random(odd.size) < np.where(odd, 0.83, 0.17), bitorder="little")
    file = tmp_path / "boards.npz"
    np.savez(
        file,
        biased_0=biased,
        **{name: np.frombuffer(data, np.uint8) for name, data in readings.items()},
    )
    boards = read_boards(file)
    good = fingerprint.measure_board("sound", boards)
    assert (good.windows, good.accepted, good.reproductions, good.failures) == (3, 3, 6, 0)
    assert good.guesses > 300 and good.found == 0 and good.lowest_estimate >= 128
    bad = fingerprint.measure_board("biased", boards)
    assert (bad.accepted, bad.refused) == (0, {"puf-bias": 1})
    assert "| biased | 1 | 0 | 1 puf-bias |" in document(
        fingerprint.FingerprintFigures(biases=(), boards=(bad, good))
    )


def test_pairs_on_which_power_ups_disagree_are_left_out() -> None:
    rng = np.random.default_rng(4)
    sound = Fingerprint.draw(2, pattern_bytes=puf.PATTERN_BYTES)
    readings = [sound.power_up(0.05, rng) for _ in range(6)]
    rows = measure_masks({"sound": readings, "few": readings[:5]})
    assert [(row.added, row.windows) for row in rows] == [(0, 1), (10, 1), (15, 1)]
    for row in rows:
        assert 11 < row.once.pairs < 13 and 6 < row.masked.pairs < 10
    assert rows[0].once.lost == pytest.approx(1 - 0.95**2, abs=0.015)
    assert rows[0].masked.lost < rows[0].once.lost / 3  # what is unstable stays so
    assert measure_masks({"few": readings[:5]}) == ()
    page = document(fingerprint.FingerprintFigures(biases=(), boards=(), masks=rows))
    assert "## Several power-ups at enrolment" in page and "| 10 % | 510 |" in page


def test_unreadable_read_outs_are_named(tmp_path: Path) -> None:
    with pytest.raises(RbnnError, match=r"Cannot read .*none\.npz"):
        read_boards(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(RbnnError, match=r"Cannot read .*bad\.npz"):
        read_boards(tmp_path / "bad.npz")
    (tmp_path / "zip.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(RbnnError, match=r"Cannot read .*zip\.npz"):
        read_boards(tmp_path / "zip.npz")
    np.savez(tmp_path / "short.npz", a_1=np.zeros(100, np.uint8))
    with pytest.raises(RbnnError, match=r"have \[100\] bytes"):
        read_boards(tmp_path / "short.npz")
