"""What ``rbnn bench host`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rbnn.report.host_bench import GOAL, HostBench


def host_table(results: Sequence[HostBench]) -> Table:
    """Images a second by engine, a network a column."""
    table = Table(title="Evaluating a test set on this machine, images a second")
    table.add_column("")
    for one in results:
        table.add_column(f"{one.network}, {one.macs / 1e6:.1f} M MACs", justify="right")
    first = results[0]

    def row(title: str, *cells: str) -> None:
        table.add_row(title, *cells)

    row("Keras, tf.function", *(f"{one.keras:,.0f}" for one in results))
    row("   at its best batch size", *(str(one.keras_batch) for one in results))
    row(f"C, {first.vectors}, {_threads(first.threads)}", *(f"{one.c:,.0f}" for one in results))
    row(f"C, {first.vectors}, 1 thread", *(f"{one.c_one_thread:,.0f}" for one in results))
    row("C, the device's own kernels", *(f"{one.c_device_kernels:,.0f}" for one in results))
    table.add_section()
    row(
        f"C against Keras (goal {GOAL:g})",
        *(f"{one.ratio:.1f}{'' if one.ratio >= GOAL else ' !'}" for one in results),
    )
    row("same class as Keras", *(f"{one.agreement:.2%}" for one in results))
    row(
        "logits equal to the reference's", *(f"{one.compared} of {one.compared}" for one in results)
    )
    return table


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"
