"""The comparison as tables and as a page in Markdown, whose first line says who wins."""

from __future__ import annotations

from rbnn.cost.peers import INT8, int8_rate
from rbnn.image.fit import CODE_BYTES
from rbnn.pages.table import Table
from rbnn.peers.figures import Gap, PeerFigures, PeerRow

STEM = "peers"
"""Of the files that are written: .json, .md, .svg, .png."""


def headline(figures: PeerFigures) -> str:
    """Who wins in the flash of the shared set, by the mean accuracy over the tasks."""
    best = figures.best_in_flash
    waits = " (unfinished)" if figures.missing or figures.remark else ""
    if best is None or best.gap is None:
        return "Peers: not measured yet"
    if best.gap.low > 0:
        verb = "win" if best.row != "trunk" and best.networks > 1 else "wins"
        name = best.title.removesuffix(" in the same flash")
        text = f"{name[0].upper()}{name[1:]} {verb} in the same flash"
    elif best.gap.high < 0:
        text = "The shared binary set wins in the same flash"
    else:
        text = "No difference was found in the same flash"
    return text + waits


def summary(figures: PeerFigures) -> str:
    """The headline's figures, and those of networks that take more flash."""
    shared, best = figures.shared, figures.best_in_flash
    parts = []
    if shared is not None and shared.mean is not None and best is not None and best.gap:
        parts.append(
            f"In the flash of the shared binary set ({shared.flash:,} bytes), which reaches "
            f"{_percent(shared.mean)} % on average, the best of the others is {_named(best)}: "
            f"{_percent(best.mean)} %, {_points(best.gap)}. {_cost(best, shared)}"
        )
        published = figures.row("published")
        if published is not None and published.gap is not None:
            parts.append(
                f"At {'its' if published.networks == 1 else 'their'} published size, "
                f"{_named(published)} reach{'es' if published.networks == 1 else ''} "
                f"{_percent(published.mean)} %, {_points(published.gap)}. "
                f"{_cost(published, shared, flash=True)}"
            )
    plan = figures.plan
    drawn = sum(plan.run_samples.values())
    if (ratio := sum(map(plan.samples, plan.tasks)) / drawn) != 1:
        parts.append(
            f"The budgets differ: the others saw {ratio:.2g} times the samples that the run drew."
        )
    if figures.missing:
        many = len(figures.missing)
        parts.append(
            f"Unfinished: {many} network{' is' if many == 1 else 's are'} still to be trained."
        )
    if figures.remark:
        parts.append(figures.remark)
    return " ".join(parts)


def tables(figures: PeerFigures) -> list[Table]:
    """Those for which there are figures."""
    found = [cost_table(figures), accuracy_table(figures)]
    return [*found, rate_table(figures)] if figures.rates else found


def cost_table(figures: PeerFigures) -> Table:
    """Mean accuracy against flash, RAM and instructions."""
    return Table(
        title="Mean accuracy against flash, RAM and instructions of an inference",
        heads=(
            "on the device",
            "flash, bytes",
            ".tflite, bytes",
            "RAM, bytes",
            "instructions, mean",
            "largest",
            "mean accuracy, %",
            "points from the shared set (95 %)",
        ),
        rows=tuple(
            (
                row.title,
                _number(row.flash),
                _number(row.files),
                _number(row.ram),
                _number(row.instructions),
                _number(row.most_instructions),
                _percent(row.mean),
                _interval(row.gap),
            )
            for row in figures.rows
        ),
    )


def accuracy_table(figures: PeerFigures) -> Table:
    """Accuracy by task; the heads name the number of test samples."""
    names = figures.plan.tasks
    heads = [
        f"{name} ({figures.samples[name]:,})" if name in figures.samples else name for name in names
    ]
    return Table(
        title="Test accuracy, % (test samples), and points from the shared set",
        heads=("on the device", *heads, "mean"),
        rows=tuple(
            (row.title, *(_with_gap(row, name) for name in names), _percent(row.mean))
            for row in figures.rows
        ),
    )


def rate_table(figures: PeerFigures) -> Table:
    """The learning rates of the int8 networks."""
    tried = [f"{rate:g}" for rate in figures.plan.rates]
    return Table(
        title="Validation accuracy by learning rate, %",
        heads=("row", "network", *tried, "chosen"),
        rows=tuple(
            (
                one.row,
                one.network,
                *(_percent(one.rates.get(rate)) for rate in tried),
                f"{one.rate:g}{' (edge)' if one.is_at_the_edge else ''}",
            )
            for one in figures.rates
        ),
        align="llr",
    )


def page(figures: PeerFigures) -> str:
    """The page ``peers.md``; its plot is in the same folder."""
    parts = [f"# {headline(figures)}"]
    parts += [text] if (text := summary(figures)) else []
    parts += [
        f"Written by `{figures.command}`; do not edit.",
        cost_table(figures).markdown(),
        f"![Mean accuracy against flash, RAM and instructions]({STEM}.svg)",
        "## Accuracy by task",
        accuracy_table(figures).title + ".",
        accuracy_table(figures).markdown(),
        "## Networks",
        _shapes(figures),
        "## How they were trained",
        _training(figures),
    ]
    if figures.rates:
        parts += [rate_table(figures).title + ".", rate_table(figures).markdown()]
    parts += ["## How it is counted", _counting(figures)]
    return "\n\n".join(parts) + "\n"


def _shapes(figures: PeerFigures) -> str:
    lines = []
    for row in figures.rows:
        is_scaled = row.scale is not None and row.row != "published"
        scale = f"; {row.scale:.3g} times the published width" if is_scaled else ""
        lines += [f"- {row.title}: {'; '.join(row.shapes)}{scale}."] if row.shapes else []
    return "\n".join(lines) or "None is measured yet."


def _training(figures: PeerFigures) -> str:
    plan = figures.plan
    samples = ", ".join(f"{name} {plan.samples(name):,}" for name in plan.tasks)
    drawn = ", ".join(f"{name} {plan.run_samples[name]:,}" for name in plan.tasks)
    same = all(plan.samples(name) == plan.run_samples[name] for name in plan.tasks)
    lines = [
        f"- Samples of each task, repetitions included: {samples}"
        + (", as many as the run drew" if same else f"; the run drew {drawn}")
        + (
            ". These are its own and those of its single-task networks, on which it builds."
            if figures.taught
            else "."
        ),
        "- All use the same training sets, in the same order, with the same augmentation, and Adam "
        "with the same schedule. The int8 networks have the weight decay of their published "
        f"training. Seed {plan.seed}; one training each.",
    ]
    if len(plan.rates) > 1:
        lines.append(
            f"- The learning rate of each int8 network is the best of {len(plan.rates)} on samples "
            f"held out from its training set, each tried for {plan.trial_steps:,} of {plan.steps:,}"
            " steps. The binary networks have the run's."
        )
    if figures.teachers:
        lines.append(
            f"- The float teachers of {', '.join(figures.teachers)} teach the int8 networks, too; "
            "separate binary networks learn from labels only."
        )
    elif figures.taught:
        lines.append("- The run's binary teachers do not teach the int8 networks.")
    agreement = (
        ""
        if figures.agreement is None
        else f" At least {_percent(figures.agreement)} % of each network's sample of training data "
        "keep the class that the float network finds."
    )
    lines.append(
        "- TensorFlow's converter quantises to int8 throughout, with ranges from training samples."
        + agreement
    )
    lines.append(
        "- Every network is measured once on the whole test sets, in integers: the int8 ones by "
        "TensorFlow's interpreter, the binary ones by the C engine."
    )
    return "\n".join(lines)


def _counting(figures: PeerFigures) -> str:
    rates = ", ".join(f"{kind} {int8_rate(kind):g}" for kind in ("stem", "conv", "dense"))
    return "\n".join(
        [
            "- **Flash:** weights, biases, scales, tables. Of the binary sets also what the int8 "
            "files leave out: class names and, in the shared set, sealing and licences. Code is "
            f"not counted: that of rbnn's firmware is about {CODE_BYTES:,} bytes with serial line, "
            "cryptography and licences; that of TensorFlow Lite Micro depends on the build and was "
            "not measured. `.tflite` is the size of the files as they are.",
            "- **RAM:** of int8 networks the peak of live tensors over one inference (each from "
            "the operator that writes it to the last that reads it), which no arena goes below; "
            "alignment, the kernels' buffers and the interpreter's records would add to it. Of "
            "binary networks the planned arena, the opened parameters and the kernels' working "
            "memory. Of several networks the largest: one runs at a time.",
            f"- **Instructions:** of int8 networks, multiply-accumulates times those of {INT8.name}"
            f" on a Cortex-M4 ({rates} each); depthwise and 1x1 convolutions at the rate of a 3x3 "
            "one, pools and additions for nothing, which favours them. Of binary networks, the "
            "cost model's, with every weight decrypted.",
            "- **Interval:** paired over the test samples. It does not cover what another seed "
            "would change.",
        ]
    )


def _named(row: PeerRow) -> str:
    return row.title.removesuffix(" in the same flash").removesuffix(" of published size")


def _cost(row: PeerRow, shared: PeerRow, flash: bool = False) -> str:
    pairs: list[tuple[str, float | None, float | None]] = []
    pairs += [("flash", row.flash, shared.flash)] if flash else []
    pairs += [
        ("instructions", row.instructions, shared.instructions),
        ("RAM", row.ram, shared.ram),
    ]
    said = [f"{own / base:.2g} times the {name}" for name, own, base in pairs if own and base]
    return f"{'They take' if row.networks > 1 else 'It takes'} {', '.join(said)}."


def _points(gap: Gap) -> str:
    size = f"{abs(gap.points):.2f} points"
    way = "more" if gap.points >= 0 else "less"
    return f"{size} {way} (95 % interval {gap.low:+.2f} to {gap.high:+.2f})"


def _interval(gap: Gap | None) -> str:
    return "" if gap is None else f"{gap.points:+.2f} ({gap.low:+.2f} to {gap.high:+.2f})"


def _with_gap(row: PeerRow, name: str) -> str:
    if name not in row.accuracies:
        return ""
    gap = row.gaps.get(name)
    return _percent(row.accuracies[name]) + ("" if gap is None else f" ({gap.points:+.2f})")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
