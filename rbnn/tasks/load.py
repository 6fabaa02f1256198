"""From a task's name to its data: look in RBNN_DATA, then in the cache, then make or fetch it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rbnn.tasks import cache as store
from rbnn.tasks.cache import Decoded, cache_folder, recipe_key
from rbnn.tasks.dataset import TaskData
from rbnn.tasks.errors import TaskError
from rbnn.tasks.names import TaskSpec, parse_spec

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``; total is 0 where it is unknown."""


def _cached(folder: Path, recipe: dict[str, object], make: Callable[[], Decoded]) -> Decoded:
    key = recipe_key(recipe)
    decoded = store.read(folder, key)
    if decoded is None:
        decoded = make()
        store.store(folder, key, decoded)
    return decoded


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
        TaskError: the name is unknown or the data are missing or unusable.
    """
    task = parse_spec(spec) if isinstance(spec, str) else spec
    folder = cache_folder() if cache is None else cache
    if task.path is None and task.name == "digits":
        from rbnn.tasks import digits

        return _named(task, digits.make(), digits.ORIGIN)
    if task.path is None and task.name == "words":
        from rbnn.tasks import words

        decoded = _cached(folder, words.recipe(), lambda: words.make(progress))
        return _named(task, decoded, words.ORIGIN)
    raise TaskError(f"Cannot load {task}.")


def _named(task: TaskSpec, decoded: Decoded, origin: str, source: str | None = None) -> TaskData:
    return TaskData(
        name=task.name,
        labels=decoded.labels,
        train=decoded.train,
        test=decoded.test,
        source=str(task) if source is None else source,
        origin=origin,
        kind=decoded.kind,
    )
