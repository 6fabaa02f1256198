"""From a task's name to its data: look in RBNN_DATA, then in the cache; else make or fetch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from rbnn.places import cache_folder
from rbnn.tasks import cache as store
from rbnn.tasks.audio import RECIPE
from rbnn.tasks.cache import Decoded, recipe_key
from rbnn.tasks.dataset import Split, TaskData
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import Form
from rbnn.tasks.names import KNOWN, TaskSpec, parse_spec
from rbnn.tasks.picture import to_grey
from rbnn.tasks.sources import find_local, missing

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``; total is 0 if it is unknown."""


def _cached(folder: Path, recipe: Mapping[str, object], make: Callable[[], Decoded]) -> Decoded:
    key = recipe_key(recipe)
    decoded = store.read(folder, key)
    if decoded is None:
        decoded = make()
        store.store(folder, key, decoded)
    return decoded


def _load_path(path: Path, folder: Path, progress: Progress | None, form: Form) -> Decoded:
    from rbnn.tasks.files import READER_VERSION, read_files
    from rbnn.tasks.tree import open_tree

    with open_tree(path) as tree:
        files = tree.key()

        def make() -> Decoded:
            decoded = read_files(tree, progress, form)
            if tree.key() != files:
                raise TaskError(
                    f"The files of {path} changed while they were read.",
                    "Run the command again when nothing writes to them.",
                )
            return decoded

        recipe = {"reader": READER_VERSION, "files": files, **RECIPE, **form.recipe}
        return _cached(folder, recipe, make)


def _load_download(
    name: str, folder: Path, progress: Progress | None, form: Form
) -> tuple[Decoded, str]:
    from rbnn.tasks.sets.catalogue import published

    source = published(name)
    make = partial(source.make, folder / "downloads", progress, form.sides)
    return _cached(folder, {**source.key, **_sides_only(form).recipe}, make), source.origin


def _sides_only(form: Form) -> Form:
    """What a set of pictures or sounds depends on."""
    return Form(form.height, form.width)


def load(
    spec: str | TaskSpec,
    *,
    form: Form | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> TaskData:
    """Load one task.

    Args:
        spec: a known name, or ``name=path`` of a folder or zip with ``train/<class>/`` and
            ``test/<class>/``.
        form: what its samples become; None for the usual.
        cache: folder for downloads and decoded sets; by default ``$RBNN_CACHE`` or the user's
            cache folder.
        progress: called as ``progress(what, done, total)`` while something long runs.

    Returns:
        The task's data.

    Raises:
        RbnnError: the name is unknown, the data are missing or unusable, or the cache folder
            cannot be written.
    """
    task = parse_spec(spec) if isinstance(spec, str) else spec
    folder = cache_folder() if cache is None else cache
    form = form or Form()
    known = KNOWN.get(task.name)
    path = task.path
    if path is None and known is not None and known.supply != "embedded":
        path = find_local(known)
    if path is not None:
        decoded = _load_path(path, folder, progress, form)
        return _named(task.name, decoded, f"{task.name}={path.resolve()}", str(path), form)
    assert known is not None  # parse_spec accepts no other name without a path
    if known.supply == "data":
        raise missing(known)
    if known.supply == "download":
        decoded, origin = _load_download(task.name, folder, progress, form)
    elif task.name == "digits":
        from rbnn.tasks.sets import digits

        decoded, origin = digits.make(form.sides), digits.ORIGIN
    else:
        from rbnn.tasks.sets import words

        recipe = {**words.recipe(), **_sides_only(form).recipe}
        decoded = _cached(folder, recipe, lambda: words.make(progress, form.sides))
        origin = words.ORIGIN
    return _named(task.name, decoded, task.name, origin, form)


def _named(name: str, decoded: Decoded, source: str, origin: str, form: Form) -> TaskData:
    if decoded.series is None and (form.window, form.hop) != (None, None):
        raise TaskError(
            f"Task {name} is no sensor series; --window and --hop do not apply to it.",
            f"Leave them out for {name}.",
        )
    return TaskData(
        name=name,
        labels=decoded.labels,
        train=_with_channels(name, decoded.train, form),
        test=_with_channels(name, decoded.test, form),
        source=source,
        origin=origin,
        kind=decoded.kind,
        series=decoded.series,
    )


def _with_channels(name: str, split: Split, form: Form) -> Split:
    """Colour pictures as grey ones where the input has one channel.

    Raises:
        TaskError: colour pictures for an input that has no place for them.
    """
    if form.channels is None or split.channels in (1, form.channels):
        return split
    if form.channels == 1 and split.channels == 3:
        return Split(to_grey(split.images), split.labels)
    raise TaskError(
        f"Task {name} has {split.channels} channels; an input of {form} takes 1 or "
        f"{form.channels}.",
        f"Choose --input {form.height}x{form.width}x{split.channels}, or x1 for grey pictures.",
    )
