"""What ``rbnn bench host`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rbnn.bench.host import VERDICT_IMAGES, HostBench, Rate


def host_table(results: Sequence[HostBench]) -> Table:
    """Images per second by engine, one column per network."""
    table = Table(
        title="Evaluating a test set on this machine: images per second "
        "(per second of processor time)"
    )
    table.add_column("")
    for one in results:
        table.add_column(f"{one.network}, {one.macs / 1e6:.1f} M MACs", justify="right")
    first = results[0]

    def row(title: str, *cells: str) -> None:
        table.add_row(title, *cells)

    def rates(title: str, found: Sequence[Rate]) -> None:
        row(title, *(f"{rate.clock:,.0f}  ({rate.processor:,.0f})" for rate in found))

    rates("Keras, plain float32 tf.function", [one.keras for one in results])
    row("   at its best batch size", *(str(one.keras_batch) for one in results))
    rates("Keras, equal to the device", [one.keras_exact for one in results])
    rates(f"C, {first.vectors}, {_threads(first.threads)}", [one.c for one in results])
    rates(f"C, {first.vectors}, 1 thread", [one.c_one_thread for one in results])
    rates("C, the device's kernels", [one.c_device_kernels for one in results])
    table.add_section()
    row(
        "C over the faster Keras",
        *(f"{one.ratio:.1f}  ({one.processor_ratio:.1f})" for one in results),
    )
    row("same class as plain Keras", *(f"{one.agreement:.2%}" for one in results))
    row("same class as equal Keras", *(f"{one.exact_agreement:.2%}" for one in results))
    row("logits equal to the reference's", *(f"all of {one.compared}" for one in results))
    if any(one.images < VERDICT_IMAGES for one in results):
        table.caption = (
            f"Fewer than {VERDICT_IMAGES:,} images give no reliable ratio: omit --images, or "
            "raise it."
        )
    return table


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"
