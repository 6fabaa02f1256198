"""The page as a document: self-contained, readable for screen readers, in colours of WCAG AA."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from reported_run import add_own_networks, made_data, make_report, write_metrics

from rbnn import pages
from rbnn.report import charts
from rbnn.report.figures import Epoch, RunReport, TaskReport
from rbnn.report.page import card, counted, folded, markdown, page, points

TEMPLATES = Path(charts.__file__).parent / "templates"
SHARED = Path(pages.__file__).parent / "templates"
LONG = "a class with a <name> & more than fits | 100 %"


class Reader(HTMLParser):
    """All elements of a page, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def report(
    random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> RunReport:
    folder = tmp_path_factory.mktemp("page")
    made = random_export(folder / "a-run", tasks=(("signs", 43, 3), ("grey", 4, 1)))
    config = made.run.config()
    first, second = config.tasks
    labels = (LONG.replace("|", "/").replace("%", "percent"), *second.labels[1:])
    tasks = (first, second.model_copy(update={"labels": labels}))
    made.run.write_config(config.model_copy(update={"tasks": tasks}))
    write_metrics(made.run, 7)
    add_own_networks(made.run, ["signs", "grey"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rbnn.report.gather.load_data", made_data)
        return make_report(made.run, folder, wrong_secrets=1)


def test_the_page_loads_nothing(report: RunReport) -> None:
    text = page(report)
    reader = Reader(text)
    assert not reader.all("script")
    for _, attributes in reader.elements:
        for name in ("src", "href", "xlink:href", "srcset", "poster", "data", "action"):
            if name in attributes:
                assert attributes[name].startswith(("data:", "#"))
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert "default-src 'none'" in text


def test_the_page_suits_screen_readers(report: RunReport) -> None:
    text = page(report)
    reader = Reader(text)
    names = [name for name, _ in reader.elements]
    levels = [int(name[1]) for name in names if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert reader.all("img") and all(one["alt"] for one in reader.all("img"))
    assert names.count("table") == names.count("caption") > 5
    assert all("scope" in one for one in reader.all("th"))
    for tag, attributes in reader.elements:
        if tag == "svg":
            assert "aria-hidden" in attributes or attributes.get("aria-label")
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    anchors = [one["href"][1:] for one in reader.all("a")]
    assert anchors and set(anchors) <= set(ids)
    assert reader.all("html")[0]["lang"] == "en"


def test_names_are_escaped(report: RunReport) -> None:
    assert "<name>" not in page(report)
    assert "&lt;name&gt;" in page(report)
    assert "<name>" not in card(report)
    assert markdown("a|b\n<c>") == r"a\|b \<c\>"


def test_the_model_card_has_the_usual_sections(report: RunReport) -> None:
    text = card(report)
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        *("Model details", "Intended use", "Data", "Metrics", "Evaluation", "Limitations"),
        "How to reproduce",
    ]
    assert text.startswith("# Model card: signs and grey\n")
    tables = [line for line in text.splitlines() if line.startswith("|")]
    for line in tables:
        assert line.count("|") - line.count(r"\|") in (7, 8), line


def variables(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_stands_out_in_both_themes() -> None:
    """WCAG 2.2, success criteria 1.4.3 (text, 4.5:1) and 1.4.11 (graphics, 3:1)."""
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    for style in (SHARED / "page_style.css.j2", TEMPLATES / "run_style.css.j2"):
        for theme, block in zip(
            (light, dark), style.read_text().split("prefers-color-scheme: dark", 1), strict=True
        ):
            theme |= variables(block)
    assert len(light) > 40
    for theme in (light, {**light, **dark}):
        for text in ("ink", "soft", "accent", "good", "bad"):
            for ground in ("paper", "panel"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        assert contrast(theme["on-warn"], theme["warn"]) >= 4.5
        for line in ("accent", "own", "soft", "good"):
            assert contrast(theme[line], theme["paper"]) >= 3, line
            assert contrast(theme[line], theme["track"]) >= 3, line
        for what in ("right", "wrong"):
            for step in range(1, charts.STEPS + 1):
                pair = theme[f"on-{what}{step}"], theme[f"{what}{step}"]
                assert contrast(*pair) >= 4.5, (what, step)


def test_a_matrix_of_many_classes_stays_legible(report: RunReport) -> None:
    signs, grey = report.tasks
    assert signs.results is not None and grey.results is not None
    wide = charts.matrix(signs, signs.results)
    assert wide.font >= 9 and wide.label_font >= 10
    assert len(wide.rows) == len(wide.columns) == len(wide.recalls) == 43
    assert wide.left + wide.side <= wide.width and wide.top + wide.side <= wide.height
    small = charts.matrix(grey, grey.results)
    assert small.rows[0].text.endswith("…") and len(small.rows[0].full) > len(small.rows[0].text)


def test_shades_distinguish_small_errors() -> None:
    shades = [charts.shade(share) for share in (0.001, 0.02, 0.1, 0.5, 1.0)]
    assert shades == sorted(set(shades)) and shades[0] == 1 and shades[-1] == charts.STEPS
    named = [round(100 * limit) for limit in charts.shade_limits()]
    assert named == [0, 2, 6, 14, 25, 39, 56, 77]
    assert "0, 2, 6, 14, 25, 39, 56 and 77" in (TEMPLATES / "run_task.html.j2").read_text()


def test_ticks_are_round_and_cover_the_values() -> None:
    assert charts.ticks(0.0, 3.3) == [0, 1, 2, 3, 4]
    for low, high in ((70.2, 93.3), (0.0, 0.02), (1, 200)):
        marks = charts.ticks(low, high)
        assert marks[0] <= low and marks[-1] >= high and 3 <= len(marks) <= 7


@pytest.mark.parametrize(("share", "loss"), [(1.0, 0.0), (0.0, 2.3), (0.5, float("nan"))])
def test_a_flat_curve_has_round_ticks(share: float, loss: float) -> None:
    epoch = Epoch(epoch=1, loss=loss, train=share, test=share)
    task = TaskReport(
        name="flat",
        labels=("a", "b"),
        shared=share,
        own=None,
        curve=(epoch,),
        own_curve=(),
        data=None,
        results=None,
        missing="gone",
    )
    for chart in (charts.accuracy_chart(task), charts.loss_chart(task)):
        assert len(chart.y_ticks) >= 3 and all(len(tick.text) <= 4 for tick in chart.y_ticks)
        assert [tick.text for tick in chart.x_ticks] == ["1"]
        for line in chart.lines:
            assert chart.top <= line.end[1] <= chart.bottom


def test_words_and_numbers() -> None:
    assert counted(7) == "Seven" and counted(16) == "16"
    assert points(0.0123) == "+1.23" and points(-0.05) == "−5.00"
    assert points(0.00001) == "0.00" and points(None) == "–"
    line = "rbnn train --tasks 'a b=c d' " + "--epochs 2 " * 10
    assert " \\\n    --epochs 2" in folded(line) and "--tasks 'a b=c d'" in folded(line)
    assert max(map(len, folded(line).splitlines())) <= 78
