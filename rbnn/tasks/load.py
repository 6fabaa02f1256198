"""From a task's name to its data: look in RBNN_DATA, then in the cache; else make or fetch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from rbnn.places import cache_folder
from rbnn.tasks import cache as store
from rbnn.tasks.audio import RECIPE
from rbnn.tasks.cache import Decoded, recipe_key
from rbnn.tasks.dataset import TaskData
from rbnn.tasks.errors import TaskError
from rbnn.tasks.names import KNOWN, TaskSpec, parse_spec
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


def _load_path(path: Path, folder: Path, progress: Progress | None) -> Decoded:
    from rbnn.tasks.files import READER_VERSION, read_files
    from rbnn.tasks.tree import open_tree

    with open_tree(path) as tree:
        files = tree.key()

        def make() -> Decoded:
            decoded = read_files(tree, progress)
            if tree.key() != files:
                raise TaskError(
                    f"The files of {path} changed while they were read.",
                    "Run the command again when nothing writes to them.",
                )
            return decoded

        return _cached(folder, {"reader": READER_VERSION, "files": files, **RECIPE}, make)


def _load_download(name: str, folder: Path, progress: Progress | None) -> tuple[Decoded, str]:
    from rbnn.tasks.sets.catalogue import published

    source = published(name)
    make = partial(source.make, folder / "downloads", progress)
    return _cached(folder, source.key, make), source.origin


def load(
    spec: str | TaskSpec, *, cache: Path | None = None, progress: Progress | None = None
) -> TaskData:
    """Load one task.

    Args:
        spec: a known name, or ``name=path`` of a folder or zip with ``train/<class>/`` and
            ``test/<class>/``.
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
    known = KNOWN.get(task.name)
    path = task.path
    if path is None and known is not None and known.supply != "embedded":
        path = find_local(known)
    if path is not None:
        decoded = _load_path(path, folder, progress)
        return _named(task.name, decoded, f"{task.name}={path.resolve()}", str(path))
    assert known is not None  # parse_spec accepts no other name without a path
    if known.supply == "data":
        raise missing(known)
    if known.supply == "download":
        decoded, origin = _load_download(task.name, folder, progress)
    elif task.name == "digits":
        from rbnn.tasks.sets import digits

        decoded, origin = digits.make(), digits.ORIGIN
    else:
        from rbnn.tasks.sets import words

        decoded = _cached(folder, words.recipe(), lambda: words.make(progress))
        origin = words.ORIGIN
    return _named(task.name, decoded, task.name, origin)


def _named(name: str, decoded: Decoded, source: str, origin: str) -> TaskData:
    return TaskData(
        name=name,
        labels=decoded.labels,
        train=decoded.train,
        test=decoded.test,
        source=source,
        origin=origin,
        kind=decoded.kind,
    )
