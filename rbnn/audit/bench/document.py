"""``make audit-document``: the documents and the limits, from a measurement's JSON.

::

    docs/benchmarks/audit.json     the measurement, with the results of all networks
    docs/benchmarks/audit.md       its page
    docs/audit.md                  the tables between the two marks
    rbnn/audit/limits.json         the limits that the audit uses
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.calibrate import limits_of
from rbnn.audit.bench.findings import AuditBenchReport, KindFigures, bench_report, rate_text
from rbnn.audit.bench.goals import belt_evades, goals
from rbnn.audit.bench.page import belt_text, bench_page, limits_table, so_far
from rbnn.audit.limits import FILE, Limits
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import read_document
from rbnn.pages.table import Table

ROOT = Path(__file__).parents[3]
BEGIN = "<!-- figures: written by make audit-document -->"
END = "<!-- end of the figures -->"
NOT_RUN = "not run yet"
AGAINST = {
    AttackKind.CLEAN: "limits from other clean networks",
    AttackKind.PATCH: "patch sweep, inversion, data scan, STRIP",
    AttackKind.BLENDED: "data scan (one fixed pattern); the sweep's patterns are not noise",
    AttackKind.SINE: "waves of the sweep",
    AttackKind.WARP: "nothing that is made for it",
    AttackKind.CLEAN_LABEL: "as for the patch; labels show nothing",
    AttackKind.BELT: "the sweep, if a pattern is near enough; data scan",
    AttackKind.DORMANT: "the sweep, on integers; float against deployed; the data are clean",
    AttackKind.TONE: "bands of the sweep, data scan",
}
NAMES = {
    AttackKind.CLEAN: "none (false alarms)",
    AttackKind.PATCH: "BadNet patch",
    AttackKind.BLENDED: "blended noise",
    AttackKind.SINE: "sine of low amplitude",
    AttackKind.WARP: "warp (as WaNet)",
    AttackKind.CLEAN_LABEL: "clean label",
    AttackKind.BELT: "exclusive training (BELT)",
    AttackKind.DORMANT: "dormant (latent values behave)",
    AttackKind.TONE: "tone in sounds",
}


def figures_text(report: AuditBenchReport) -> str:
    """What stands between the marks of docs/audit.md."""
    done, planned = len(report.results), sum(report.planned.values())
    kinds = {one.kind: one for one in report.kinds}
    heads = ("attack", "what the checks have against it", "found, of those that reached 90 %",
             "of these without training data", "found at lower success")  # fmt: skip
    rows = tuple(
        (NAMES[kind], AGAINST[kind], *_rates(kind, kinds.get(kind), report.planned[kind]))
        for kind in AttackKind
    )
    others = tuple((one.what, one.asked, one.measured, one.state) for one in goals(report))
    return "\n\n".join(
        (
            f"{belt_text(report)} {done} of {planned} networks are done.",
            Table(heads, rows, align="l").markdown(),
            Table(("goal", "asked", "measured", "state"), others, align="l").markdown(),
            "Limits, from clean networks only, for pictures and for sounds; the false alarms above "
            "are of other networks:",
            limits_table(report).markdown(),
        )
    )


def _rates(kind: AttackKind, one: KindFigures | None, planned: int) -> tuple[str, str, str]:
    if one is None:
        return NOT_RUN, NOT_RUN, NOT_RUN
    if kind is AttackKind.CLEAN:
        return so_far(one.found, one.networks, planned), "–", "–"
    return (
        so_far(one.strong, one.networks, planned),
        rate_text(one.network_only),
        rate_text(one.weak),
    )


def with_figures(document: str, report: AuditBenchReport) -> str:
    """docs/audit.md with the tables of a measurement.

    Raises:
        RbnnError: the marks are missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RbnnError(
            "docs/audit.md has no place for the figures.", f"Put {BEGIN} and {END} into it."
        )
    return f"{before}{BEGIN}\n\n{figures_text(report)}\n\n{END}{after}"


def measured_limits(report: AuditBenchReport) -> Limits:
    """What the audit itself takes from a measurement."""
    rate = belt_evades(report)
    given = sorted({one.given for one in report.limits})
    return Limits(
        limits={one: limits_of(report.limits)[one] for one in given},
        networks={
            kind: {one.name: one.networks for one in report.limits if one.given is kind}
            for kind in given
        },
        belt=None if rate is None else f"{rate.hits} of {rate.count}",
    )


def recounted(report: AuditBenchReport) -> AuditBenchReport:
    """The same results, counted as this version counts; without the folder where they were made."""
    command = re.sub(r"--out .*", "--out bench/audit", report.command)
    return bench_report(command, report.experiment, report.results, report.planned)


def lines_of(report: AuditBenchReport) -> str:
    """As JSON, one network a line."""
    head = report.model_dump(mode="json")
    results = ",\n".join(json.dumps(one) for one in head.pop("results"))
    return f'{json.dumps(head, indent=1)[:-2]},\n "results": [\n{results}\n ]\n}}\n'


def write_documents(report: AuditBenchReport, root: Path = ROOT) -> list[Path]:
    """Write all four files below ``root``.

    Raises:
        RbnnError: one cannot be written.
    """
    benchmarks, page = root / "docs" / "benchmarks", root / "docs" / "audit.md"
    texts = {
        benchmarks / "audit.json": lines_of(report),
        benchmarks / "audit.md": bench_page(report),
        page: with_figures(page.read_text(), report),
        root / "rbnn" / "audit" / FILE: measured_limits(report).model_dump_json(indent=2) + "\n",
    }
    for path, text in texts.items():
        write_atomic(path, text)
    return list(texts)


def main() -> None:
    """Write the documents from the folder of a measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, prog="python -m rbnn.audit.bench.document"
    )
    parser.add_argument("folder", type=Path, help="of a measurement: rbnn bench audit --out")
    path = parser.parse_args().folder / "audit-bench.json"
    report = read_document(AuditBenchReport, path, "Run rbnn bench audit again.")
    if report is None:
        raise SystemExit(f"{path} is missing. Measure first: make bench-audit")
    for written in write_documents(recounted(report)):
        print(written)


if __name__ == "__main__":
    main()
