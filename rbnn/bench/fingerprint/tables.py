"""What ``rbnn bench fingerprint`` prints, and its page."""

from __future__ import annotations

from rbnn.bench.fingerprint.masks import READINGS, MaskFigures
from rbnn.bench.fingerprint.measure import MADE_DEVICES, FingerprintFigures
from rbnn.pages.table import Table
from rbnn.spec import puf

_HEAD = f"""# Entropy and reliability of the fingerprint

Written by `make bench-fingerprint`; [security.md](security.md#fingerprint) has the argument,
[decision 22](decisions/0022-pairs-of-cells.md) the reasons.

## Every bias

Independent cells that are 1 with one probability. *Residual*: min-entropy of the secret given the
helper data, if the cells of a pair are exchangeable; exact. *Estimate*: the lowest that the
estimate of `rbnn.keys.pattern` gives for {MADE_DEVICES} made-up devices; it is lower because it
allows for what {puf.GROUPS} samples cannot tell. *Version 1*: average min-entropy that the sketch
of version 1 left. The last two columns: probability that a power-up does not give the key, with
independent bit errors.

"""

_BOARDS = f"""
## Real SRAM

Six Infineon XMC boards of TUM's set, 64 KB each, up to six power-ups; windows of
{puf.PATTERN_BYTES:,} bytes in all power-ups. Every accepted window was enrolled, and all other
power-ups of its board had to give the key. Guesses, for each window: constants, classes, every
period up to 64 bytes (with random content, and with the content that agrees best with the window
itself), the other boards, and their majority. *Wrong groups*: most groups of one power-up whose
votes were wrong or balanced; the code corrects 9 in each half of {puf.GROUPS}.

"""

_MASKS = f"""
## Several power-ups at enrolment

Not done ([decision 22](decisions/0022-pairs-of-cells.md)); this is what it would change. *One*: the
pairs of the first power-up, as enrolment does. *Five*: only those on which {READINGS} power-ups
agree. Then the sixth power-up votes, as it is and with errors added to its bits: the accepted
windows of boards that have one. *Lost*: pairs that do not vote for their group's bit. What the code
has to correct are groups that vote wrong or are silent, and of these there are more.

"""


def bias_table(figures: FingerprintFigures) -> Table:
    """Cells of every bias."""
    return Table(
        (
            "ones",
            "pairs kept",
            "residual",
            "estimate",
            "version 1",
            "fails at 15 %",
            "fails at 20 %",
        ),
        tuple(
            (
                f"{row.ones} %",
                f"{row.kept:.1%}",
                f"{row.residual} bits",
                f"{row.estimate:.0f} bits",
                f"{row.old_residual:.0f} bits",
                f"{row.failure_15:.1e}",
                f"{row.failure_20:.1e}",
            )
            for row in figures.biases
        ),
        title="Fingerprint: every bias",
        align="r",
    )


def board_table(figures: FingerprintFigures) -> Table:
    """Real boards."""
    return Table(
        (
            "board",
            "windows",
            "accepted",
            "refused",
            "lowest estimate",
            "reproductions",
            "failures",
            "wrong groups",
            "guesses",
            "keys found",
        ),
        tuple(
            (
                row.board,
                str(row.windows),
                str(row.accepted),
                ", ".join(f"{count} {name}" for name, count in row.refused.items()),
                f"{row.lowest_estimate:.0f} bits" if row.accepted else "",
                f"{row.reproductions:,}",
                str(row.failures),
                str(row.wrong_groups),
                f"{row.guesses:,}",
                str(row.found),
            )
            for row in figures.boards
        ),
        title="Fingerprint: real SRAM",
    )


def mask_table(figures: FingerprintFigures) -> Table:
    """One and several power-ups at enrolment."""

    def cells(one: MaskFigures) -> tuple[str, ...]:
        return f"{one.pairs:.1f}", f"{one.lost:.1%}", str(one.wrong), str(one.silent)

    heads = ("pairs a group", "lost", "wrong", "silent")
    return Table(
        ("errors added", "groups", *(f"{n}: {head}" for n in ("one", "five") for head in heads)),
        tuple(
            (
                f"{row.added} %",
                f"{row.windows * puf.GROUPS:,}",
                *cells(row.once),
                *cells(row.masked),
            )
            for row in figures.masks
        ),
        title="Fingerprint: power-ups at enrolment",
        align="r",
    )


def document(figures: FingerprintFigures) -> str:
    """The page."""
    text = _HEAD + bias_table(figures).markdown() + "\n"
    if figures.boards:
        text += _BOARDS + board_table(figures).markdown() + "\n"
    if figures.masks:
        text += _MASKS + mask_table(figures).markdown() + "\n"
    return text
