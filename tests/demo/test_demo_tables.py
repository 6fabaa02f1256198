"""The demonstration's tables show every figure."""

from __future__ import annotations

from rich.console import Console

from rbnn.demo.figures import DemoFigures, DemoTaskFigures, Refusal
from rbnn.demo.tables import demo_report
from rbnn.image.sizes import PartSize, SizeReport

FIGURES = DemoFigures(
    run="runs/one",
    bits=594_496,
    shared_bytes=75_024,
    tasks=(
        DemoTaskFigures(
            name="digits",
            classes=10,
            test_samples=359,
            keras=0.9944,
            reference=0.9916,
            agreement=0.9972,
            differing_outputs=0,
            device_samples=200,
            device=0.985,
            differing_layers=3,
            own_bytes=1_632,
            separate_bytes=76_416,
            switch_instructions=3_239_125,
            inference_instructions=24_665_418,
        ),
    ),
    refusals=(Refusal(attempt="another user's key", status="licence-refused", text="no"),),
    image=SizeReport(
        board="qemu",
        parts=(PartSize(part="engine", flash=1, ram=2),),
        flash=133_096,
        flash_limit=4_063_232,
        ram=53_520,
        ram_limit=4_194_304,
        stack=16_384,
        provisioning=1_532,
        provisioning_limit=131_072,
    ),
    stack_used=2_704,
    seconds=309.4,
)


def test_every_figure_is_shown_at_eighty_columns() -> None:
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(demo_report(FIGURES))
    text = capture.get()
    for shown in (
        "99.44%",
        "99.16%",
        "99.72%",
        "98.50%",
        "359",
        "200",
        "75,024",
        "1,632",
        "2.2%",
        "76,416",
        "3,239,125",
        "24,665,418",
        "licence-refused: no",
        "133,096 of 4,063,232",
        "2,704 of 16,384",
        "309 s",
    ):
        assert shown in text, shown
    assert "…" not in text
