"""``rbnn import``: a trained Larq or Keras model becomes a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.extras import require_training
from rbnn.runs.settings import TABLE, CipherName


def import_(
    model: Annotated[Path, typer.Argument(help="The trained model, a .h5 or .keras file.")],
    task: Annotated[
        str, typer.Option("--task", help="Name of its task; a known one needs no --data.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data", help="Folder or zip that it was trained on, with train/CLASS and test/CLASS."
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            "--scale",
            help="The model takes SCALE * pixel + OFFSET of pixels from 0 to 255. Default: what "
            "explains training samples best of 0..1, -1..1 and 0..255.",
        ),
    ] = None,
    offset: Annotated[
        float | None, typer.Option("--offset", help="See --scale. Default with --scale: 0.")
    ] = None,
    cipher: Annotated[CipherName, typer.Option(help=TABLE["cipher"].help)] = "chacha20",
    out: Annotated[
        Path | None, typer.Option(help=f"Folder of all runs. Default: {options.DEFAULT_RUNS}.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a trained Larq or Keras model into a run of one task.

    A layer that no operator of devices has is named, with what would fit: docs/own-networks.md.
    """
    require_training()
    import math
    import shlex

    from rbnn.errors import RbnnError
    from rbnn.tasks import parse_spec
    from rbnn.tasks.load import load
    from rbnn.tasks.loading_bar import LoadingBar
    from rbnn.tasks.names import TaskSpec

    if scale is not None and not (math.isfinite(scale) and scale):
        raise RbnnError(f"--scale must not be {scale}.", "For example: --scale 0.00784 --offset -1")
    known = data is not None and not Path(data).expanduser().exists()
    spec = parse_spec(task if data is None else f"{task}={data}")
    if known:
        same = parse_spec(str(data))  # refuses what is neither a known task nor a file
        if same.name != spec.name:
            raise RbnnError(
                f"The known set {same.name} cannot be called {spec.name}.",
                f"Use --task {same.name}.",
            )
        spec = TaskSpec(same.name)

    from rbnn.train.imported.importing import Wishes, form_of, import_model, open_model

    opened = open_model(model.expanduser())
    with LoadingBar() as bar:
        loaded = load(spec, form=form_of(opened), progress=bar.show)
    wishes = Wishes(scale, offset, cipher)
    root = out or options.DEFAULT_RUNS
    result = import_model(root, model.expanduser(), loaded, wishes, options.say, opened)
    if as_json:
        print(result.model_dump_json(indent=2))
        return
    for note in result.notes:
        options.say(f"note: {note}")
    console = options.output()
    console.print(
        f"{result.samples} test samples: {model.name} {result.keras_accuracy:.2%}, run "
        f"{result.accuracy:.2%}; the same class in {result.agreement:.2%}.",
        soft_wrap=True,
    )
    console.print(f"Run: {result.run}", highlight=False, soft_wrap=True)
    print(f"Continue with: rbnn flash {shlex.quote(result.run)} --user-key")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)
